"""What the vault writes into the journal; never a secret or a part of one."""

from django.utils.translation import gettext_lazy as _

from audit.events import Connection, EventType, Kind, Severity

CREDENTIAL_CREATED = EventType(
    "integrations.credential.created",
    severity=Severity.MEDIUM,
    sentence=_("A credential was stored."),
    details={"type": Kind.CODE, "version": Kind.COUNT},
)
CREDENTIAL_ROTATED = EventType(
    "integrations.credential.rotated",
    severity=Severity.MEDIUM,
    sentence=_("A credential got a new secret."),
    details={"version": Kind.COUNT},
)
CREDENTIAL_USED = EventType(
    "integrations.credential.used",
    severity=Severity.INFO,
    sentence=_("A credential was used."),
    connection=Connection.JOURNAL,
    details={"lease": Kind.ID, "version": Kind.COUNT, "seconds": Kind.COUNT},
    needs_purpose=True,
)
CREDENTIAL_FAILED = EventType(
    "integrations.credential.failed",
    severity=Severity.MEDIUM,
    sentence=_("The use of a credential failed."),
    connection=Connection.JOURNAL,
    details={"lease": Kind.ID, "version": Kind.COUNT, "code": Kind.CODE},
)
CREDENTIAL_TAMPERED = EventType(
    "integrations.credential.tampered",
    severity=Severity.CRITICAL,
    sentence=_("A stored secret does not belong to the credential that holds it."),
    connection=Connection.JOURNAL,
    details={"version": Kind.COUNT},
)
CREDENTIAL_DESTROYED = EventType(
    "integrations.credential.destroyed",
    severity=Severity.HIGH,
    sentence=_("A credential was destroyed."),
    details={"leases_ended": Kind.COUNT},
)

ALL = (
    CREDENTIAL_CREATED,
    CREDENTIAL_ROTATED,
    CREDENTIAL_USED,
    CREDENTIAL_FAILED,
    CREDENTIAL_TAMPERED,
    CREDENTIAL_DESTROYED,
)
