"""Permissions about keys (encryption.md 9)."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from foundation.access.permissions import Permission

READ_KEYS: Final = "encryption.key.read"
ROTATE_KEYS: Final = "encryption.key.rotate"
DESTROY_KEYS: Final = "encryption.key.destroy"

ALL: Final = (
    Permission(READ_KEYS, _("See state, age and use of encryption keys"), staff_only=True),
    Permission(ROTATE_KEYS, _("Rotate encryption keys"), high=True, staff_only=True),
    Permission(DESTROY_KEYS, _("Destroy encryption keys for good"), high=True, staff_only=True),
)
