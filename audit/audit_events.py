"""Event types of the journal itself, of alerts, and of the key store (which stands below)."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.events import Connection, EventType, Kind, Retention, Severity

_LOOK: Final = {
    "count": Kind.COUNT,
    "kind": Kind.CODE,
    "ids": Kind.NAMES,
    "filter": Kind.DIGEST,
}

DATA_READ: Final = EventType(
    "audit.data.read",
    Severity.INFO,
    _("Personal data was read."),
    retention=Retention.ACCESS,
    connection=Connection.JOURNAL,
    details=_LOOK,
    needs_purpose=True,
)
ENTRIES_READ: Final = EventType(
    "audit.entry.read",
    Severity.INFO,
    _("Journal entries were looked at."),
    retention=Retention.ACCESS,
    connection=Connection.JOURNAL,
    details=_LOOK,
)
ENTRY_REVEALED: Final = EventType(
    "audit.entry.revealed",
    Severity.MEDIUM,
    _("Personal parts of a journal entry were opened."),
    connection=Connection.JOURNAL,
    details={"type": Kind.CODE},
    needs_reason=True,
)
HISTORY_READ: Final = EventType(
    "audit.history.read",
    Severity.INFO,
    _("Own security history was looked at."),
    retention=Retention.ACCESS,
    connection=Connection.JOURNAL,
    details=_LOOK,
)
ALERTS_READ: Final = EventType(
    "audit.alert.read",
    Severity.INFO,
    _("Alerts were looked at."),
    retention=Retention.ACCESS,
    connection=Connection.JOURNAL,
    details=_LOOK,
)
ALERT_RAISED: Final = EventType(
    "audit.alert.raised",
    Severity.HIGH,
    _("An alert was raised."),
    details={"rule": Kind.CODE, "severity": Kind.COUNT, "dedupe": Kind.DIGEST},
)
ALERT_ASSIGNED: Final = EventType(
    "audit.alert.assigned",
    Severity.INFO,
    _("An alert was taken in hand."),
    details={"rule": Kind.CODE},
)
ALERT_CLOSED: Final = EventType(
    "audit.alert.closed",
    Severity.LOW,
    _("An alert was closed."),
    details={"rule": Kind.CODE, "verdict": Kind.CODE},
    needs_reason=True,
)
ALERT_DELIVERED: Final = EventType(
    "audit.alert.delivered",
    Severity.INFO,
    _("An alert was sent."),
    details={"rule": Kind.CODE, "channel": Kind.CODE, "attempts": Kind.COUNT},
)
ALERT_UNDELIVERABLE: Final = EventType(
    "audit.alert.given_up",
    Severity.CRITICAL,
    _("An alert could not be sent."),
    details={"rule": Kind.CODE, "channel": Kind.CODE, "attempts": Kind.COUNT, "error": Kind.CODE},
)
CHANNEL_CHANGED: Final = EventType(
    "audit.alert_channel.changed",
    Severity.HIGH,
    _("Where alerts go was changed."),
    details={"addresses": Kind.COUNT, "kind": Kind.CODE},
)
DAY_KEY_DESTROYED: Final = EventType(
    "audit.day_key.destroyed",
    Severity.INFO,
    _("Addresses of one day became unreadable."),
    details={"day": Kind.CODE},
)

_KEY_FACTS: Final = {"facts": Kind.NAMES}

KEY_CREATED: Final = EventType(
    "encryption.key.created",
    Severity.INFO,
    _("A key was made."),
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)
KEY_ROTATED: Final = EventType(
    "encryption.key.rotated",
    Severity.MEDIUM,
    _("A key was replaced by a new one."),
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)
KEY_RETIRED: Final = EventType(
    "encryption.key.retired",
    Severity.MEDIUM,
    _("Nothing is under an old key any more."),
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)
KEY_DESTROYED: Final = EventType(
    "encryption.key.destroyed",
    Severity.HIGH,
    _("A key was destroyed for good."),
    retention=Retention.CONTRACT,
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)
KEY_REFUSED: Final = EventType(
    "encryption.key.refused",
    Severity.CRITICAL,
    _("The key service refused a key."),
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)
KEY_LOST: Final = EventType(
    "encryption.key.lost",
    Severity.CRITICAL,
    _("A key was missing that nobody destroyed."),
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)
VALUE_TAMPERED: Final = EventType(
    "encryption.value.tampered",
    Severity.CRITICAL,
    _("A sealed value was not the one that was stored."),
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)
OWNER_ERASED: Final = EventType(
    "encryption.owner.erased",
    Severity.HIGH,
    _("All keys of an owner were destroyed."),
    retention=Retention.CONTRACT,
    connection=Connection.JOURNAL,
    details=_KEY_FACTS,
)

KEY_STORE: Final = (
    KEY_CREATED,
    KEY_ROTATED,
    KEY_RETIRED,
    KEY_DESTROYED,
    KEY_REFUSED,
    KEY_LOST,
    VALUE_TAMPERED,
    OWNER_ERASED,
)
ALL: Final = (
    DATA_READ,
    ENTRIES_READ,
    ENTRY_REVEALED,
    HISTORY_READ,
    ALERTS_READ,
    ALERT_RAISED,
    ALERT_ASSIGNED,
    ALERT_CLOSED,
    ALERT_DELIVERED,
    ALERT_UNDELIVERABLE,
    CHANNEL_CHANGED,
    DAY_KEY_DESTROYED,
    *KEY_STORE,
)
