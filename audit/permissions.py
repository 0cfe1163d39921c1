"""Permissions of the journal and of alerts."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from foundation.access.permissions import Permission

READ_ENTRIES: Final = Permission("audit.entry.read", _("Read the journal"))
REVEAL_ENTRIES: Final = Permission(
    "audit.entry.reveal", _("Open personal parts of journal entries"), high=True
)
READ_ALERTS: Final = Permission("audit.alert.read", _("Read alerts"))
HANDLE_ALERTS: Final = Permission("audit.alert.handle", _("Work on alerts"))
CONFIGURE_ALERTS: Final = Permission(
    "audit.alert.configure", _("Choose where alerts go"), high=True, staff_only=True
)

ALL: Final = (
    READ_ENTRIES,
    REVEAL_ENTRIES,
    READ_ALERTS,
    HANDLE_ALERTS,
    CONFIGURE_ALERTS,
)
