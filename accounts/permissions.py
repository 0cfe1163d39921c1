"""Permissions about people, roles and organisations (identity.md 6)."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from foundation.access.permissions import Permission

READ_USERS: Final = "accounts.user.read"
INVITE_USERS: Final = "accounts.user.invite"
MANAGE_USERS: Final = "accounts.user.manage"
MANAGE_ROLES: Final = "accounts.role.manage"
MANAGE_ORGANISATION: Final = "accounts.organisation.manage"
APPROVE_ORGANISATION: Final = "accounts.organisation.approve"

ALL: Final = (
    Permission(READ_USERS, _("See the members of the organisation")),
    Permission(INVITE_USERS, _("Invite people to the organisation")),
    Permission(MANAGE_USERS, _("Change roles and end memberships"), high=True),
    Permission(MANAGE_ROLES, _("Change what roles may do"), high=True, staff_only=True),
    Permission(
        MANAGE_ORGANISATION, _("Hand out all roles, also that of administrators"), high=True
    ),
    Permission(APPROVE_ORGANISATION, _("Approve new organisations"), high=True, staff_only=True),
)
