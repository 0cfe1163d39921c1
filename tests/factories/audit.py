"""Objects of the journal."""

from uuid import UUID

from audit.context import Context
from audit.events import Connection, EventType, Kind, Severity, audit_event_types
from audit.middleware import journal_net
from audit.models import AuditEvent
from foundation.identifiers import uuid7
from foundation.principals import ActorType, Principal

# Registered once per process, as an app would at start.
_DETAILS = {"note": Kind.TEXT, "name": Kind.PERSONAL, "count": Kind.COUNT}


def event_type(code: str, **options: object) -> EventType:
    """Return a registered type for tests; the same code gives the same type."""
    known = audit_event_types.find(code)
    if known is not None:
        return known
    settings: dict[str, object] = {
        "sentence": "Something was tried.",
        "details": _DETAILS,
        "severity": Severity.INFO,
        **options,
    }
    made = EventType(code=code, **settings)  # type: ignore[arg-type]  # a test names what it needs
    audit_event_types._items[code] = made
    return made


CHANGE = event_type("audit.test.changed")
ATTEMPT = event_type("audit.test.tried", connection=Connection.JOURNAL)
SIGN_IN_FAILED = event_type(
    "accounts.sign_in.failed",
    connection=Connection.JOURNAL,
    details={"identifier": Kind.DIGEST, "identifier_length": Kind.COUNT},
)
SIGN_IN_SUCCEEDED = event_type(
    "accounts.sign_in.succeeded",
    connection=Connection.JOURNAL,
    details={"identifier": Kind.DIGEST, "method": Kind.CODE},
)


def person(**given: object) -> Principal:
    """Return the principal of a signed-in person."""
    values: dict[str, object] = {
        "kind": ActorType.USER,
        "id": uuid7(),
        "subject_id": uuid7(),
        "organisation_id": uuid7(),
        "label": "Alice Archer <alice@example.test>",
        **given,
    }
    return Principal(**values)  # type: ignore[arg-type]  # a test names what it needs


def surroundings(address: str = "203.0.113.7", **given: object) -> Context:
    """Return the context of a request from an address."""
    values: dict[str, object] = {
        "address": address,
        "net": journal_net(address),
        "how": "direct",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "browser": "Firefox",
        "channel": "web",
        **given,
    }
    return Context(**values)  # type: ignore[arg-type]  # a test names what it needs


def entries(code: str, **filters: object) -> list[AuditEvent]:
    """Return the entries of a type, oldest first."""
    return list(AuditEvent.objects.filter(type=code, **filters).order_by("seq"))


def last(code: str) -> AuditEvent:
    """Return the newest entry of a type."""
    return entries(code)[-1]


def some_id() -> UUID:
    """Return an id."""
    return uuid7()
