"""Audit event types of privacy."""

from django.utils.translation import gettext_lazy as _

from audit.events import Connection, EventType, Retention, Severity

REQUEST_RECEIVED = EventType(
    code="privacy.request.received",
    severity=Severity.LOW,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("A request about personal data was received"),
    details={"kind": "code"},
)
REQUEST_READY = EventType(
    code="privacy.request.ready",
    severity=Severity.INFO,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("The copy of a person's data is ready"),
    details={"sections": "count", "rows": "count"},
)
REQUEST_DELIVERED = EventType(
    code="privacy.request.delivered",
    severity=Severity.LOW,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("The copy of a person's data was downloaded"),
)
REQUEST_CLOSED = EventType(
    code="privacy.request.closed",
    severity=Severity.INFO,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("A request about personal data was closed"),
)
ERASURE_SCHEDULED = EventType(
    code="privacy.erasure.scheduled",
    severity=Severity.MEDIUM,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("The erasure of a person's data was scheduled"),
    details={"led_alone": "count"},
)
ERASURE_CANCELLED = EventType(
    code="privacy.erasure.cancelled",
    severity=Severity.LOW,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("The erasure of a person's data was cancelled"),
)
ERASURE_STARTED = EventType(
    code="privacy.erasure.started",
    severity=Severity.MEDIUM,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("The erasure of a person's data began"),
)
ERASURE_ERASED = EventType(
    code="privacy.erasure.erased",
    severity=Severity.MEDIUM,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("A person's data was erased and the keys were destroyed"),
    details={"deleted": "count", "shredded": "count", "kept": "count"},
)
ERASURE_COMPLETED = EventType(
    code="privacy.erasure.completed",
    severity=Severity.MEDIUM,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("Erased data became unreadable in every copy"),
    details={"key_epoch": "count"},
)
ERASURE_REPLAYED = EventType(
    code="privacy.erasure.replayed",
    severity=Severity.MEDIUM,
    retention=Retention.SECURITY,
    connection=Connection.CHANGE,
    sentence=_("An erasure was repeated after a restore"),
    details={"deleted": "count", "shredded": "count"},
)

ALL = (
    REQUEST_RECEIVED,
    REQUEST_READY,
    REQUEST_DELIVERED,
    REQUEST_CLOSED,
    ERASURE_SCHEDULED,
    ERASURE_CANCELLED,
    ERASURE_STARTED,
    ERASURE_ERASED,
    ERASURE_COMPLETED,
    ERASURE_REPLAYED,
)
