"""What records write into the journal."""

from django.utils.translation import gettext_lazy as _

from audit.events import Connection, EventType, Kind, Retention, Severity

RECORD_CREATED = EventType(
    "workspace.record.created",
    severity=Severity.INFO,
    sentence=_("A record was created."),
    details={"kind": Kind.CODE, "visibility": Kind.CODE},
)
RECORD_CHANGED = EventType(
    "workspace.record.changed",
    severity=Severity.INFO,
    sentence=_("A record was changed."),
    details={"version": Kind.COUNT},
)
RECORD_SHARED = EventType(
    "workspace.record.shared",
    severity=Severity.LOW,
    sentence=_("It was changed who sees a record."),
    details={"people": Kind.COUNT},
)
RECORD_READ = EventType(
    "workspace.record.read",
    severity=Severity.INFO,
    sentence=_("A record was read."),
    retention=Retention.ACCESS,
    connection=Connection.JOURNAL,
    details={"count": Kind.COUNT},
    needs_purpose=True,
)
RECORD_LISTED = EventType(
    "workspace.record.listed",
    severity=Severity.INFO,
    sentence=_("Records were listed."),
    retention=Retention.ACCESS,
    connection=Connection.JOURNAL,
    details={"count": Kind.COUNT, "ids": Kind.NAMES, "is_lookup": Kind.FLAG},
    needs_purpose=True,
)
RECORD_REVEALED = EventType(
    "workspace.record.revealed",
    severity=Severity.MEDIUM,
    sentence=_("A protected value of a record was revealed."),
    retention=Retention.ACCESS,
    connection=Connection.JOURNAL,
    details={"field": Kind.CODE},
    needs_reason=True,
)

ALL = (
    RECORD_CREATED,
    RECORD_CHANGED,
    RECORD_SHARED,
    RECORD_READ,
    RECORD_LISTED,
    RECORD_REVEALED,
)
