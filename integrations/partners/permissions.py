"""Permissions about onboardings, clients and interfaces (integrations.md 7)."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from foundation.access.permissions import Permission

READ_ONBOARDINGS: Final = "integrations.onboarding.read"
APPROVE_ONBOARDINGS: Final = "integrations.onboarding.approve"
READ_CLIENTS: Final = "integrations.client.read"
MANAGE_CLIENTS: Final = "integrations.client.manage"

ALL: Final = (
    Permission(READ_ONBOARDINGS, _("See the onboardings of partners"), staff_only=True),
    Permission(APPROVE_ONBOARDINGS, _("Approve and refuse partners"), high=True, staff_only=True),
    Permission(READ_CLIENTS, _("See the organisation's partner clients")),
    Permission(
        MANAGE_CLIENTS, _("Accept terms, make client secrets and revoke clients"), high=True
    ),
)
