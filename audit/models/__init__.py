"""Tables of the journal and of what reads it; one module per subject."""

from audit.models.alerts import Alert, AlertChannel, AlertDelivery
from audit.models.detection import DetectionAttempt
from audit.models.entries import AuditEvent, OwnHistory
from audit.models.reading import Cursor, DayKey, DeadLetter, Subject

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "AuditEvent",
    "Cursor",
    "DayKey",
    "DeadLetter",
    "DetectionAttempt",
    "OwnHistory",
    "Subject",
]
