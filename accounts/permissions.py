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
    Permission("accounts.user.freeze", _("Freeze an account"), high=True),
    Permission("accounts.user.vouch", _("Vouch for a colleague who lost all factors"), high=True),
    Permission(MANAGE_ROLES, _("Change what roles may do"), high=True, staff_only=True),
    Permission("accounts.role.approve", _("Approve changes of roles"), high=True, staff_only=True),
    Permission("accounts.request.decide", _("Decide requests for roles and for joining")),
    Permission(MANAGE_ORGANISATION, _("Change the organisation's settings"), high=True),
    Permission(APPROVE_ORGANISATION, _("Approve new organisations"), high=True, staff_only=True),
    Permission(
        "accounts.organisation.suspend", _("Suspend an organisation"), high=True, staff_only=True
    ),
    Permission("accounts.provider.manage", _("Set up single sign-on"), high=True),
    Permission("accounts.policy.manage", _("Change session and sign-in rules"), high=True),
    Permission("accounts.review.manage", _("Run access reviews")),
    Permission("accounts.support.use", _("Use a support grant of a customer"), staff_only=True),
)
