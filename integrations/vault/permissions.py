"""Permissions of the vault."""

from django.utils.translation import gettext_lazy as _

from foundation.access.permissions import Permission

READ = Permission("integrations.credential.read", _("See credentials, never their secrets"))
MANAGE = Permission(
    "integrations.credential.manage",
    _("Store, test and destroy credentials"),
    high=True,
)

ALL = (READ, MANAGE)
