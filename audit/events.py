"""Event types: the kinds of entries the journal can hold, declared by every app.

An app declares its types in ``audit_events.py`` and registers them; ``record`` refuses a type that
is not registered. Names are ``<package>.<noun>.<past participle>`` and never change.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from django.utils.functional import Promise

from foundation.registry import Registry

SCHEMA_VERSION = 1

_CODE = re.compile(r"[a-z]+(\.[a-z][a-z0-9_]*){2,3}")
_DETAIL = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DENIED = ("password", "passphrase", "secret", "token", "pin_code", "api_key", "private_key")


class Retention(StrEnum):
    """How long entries of a type stay (audit.md 10); also the partition they lie in."""

    ACCESS = "access"
    SECURITY = "security"
    CONTRACT = "contract"


class Connection(StrEnum):
    """Who carries the INSERT.

    ``CHANGE`` is the transaction of the change, rolled back with it. ``JOURNAL`` is a connection
    of its own for attempts, denials and reads, which must stay when the request rolls back.
    """

    CHANGE = "default"
    JOURNAL = "journal"


class Severity(IntEnum):
    """Weight of an entry or alert; the numbers are those of OCSF 1.8 ``severity_id``."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5


class Outcome(StrEnum):
    """How the act ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


class Kind(StrEnum):
    """What a detail holds; checked when the entry is written.

    ``PERSONAL`` text goes into the sealed part of the person the entry is about, never into the
    body. The body of an entry is for ever, so the other kinds hold no personal data.
    """

    TEXT = "text"
    CODE = "code"
    COUNT = "count"
    FLAG = "flag"
    ID = "id"
    DIGEST = "digest"
    TIME = "time"
    NAMES = "names"
    PERSONAL = "personal"


class DeclarationError(ValueError):
    """An event type is declared against the rules: a mistake in our code."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of entry.

    Attributes:
        code: ``<package>.<noun>.<past participle>``, for ever.
        severity: weight, unless ``record`` is told another.
        sentence: what happened, in words for the person it happened to; past tense, no actor.
        retention: ``access`` (reads, calls), ``security`` (sign-in, changes) or ``contract``.
        connection: transaction of the change, or the journal's own connection.
        details: name of each detail and its :class:`Kind`.
        needs_reason: whether the actor must say why in free words.
        needs_purpose: whether a purpose of processing must be named.
        schema_version: number of the present shape of details.
    """

    code: str
    severity: Severity | int
    sentence: str | Promise
    retention: Retention | str = Retention.SECURITY
    connection: Connection = Connection.CHANGE
    details: Mapping[str, Kind | str] = field(default_factory=dict)
    needs_reason: bool = False
    needs_purpose: bool = False
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise DeclarationError(f"{self.code} is not <package>.<noun>.<past participle>")
        Severity(self.severity)
        Retention(self.retention)
        for name, kind in self.details.items():
            _check_detail(self.code, name)
            Kind(kind)

    def kind_of(self, detail: str) -> Kind | None:
        """Return the declared kind of a detail, or None where it is not declared."""
        kind = self.details.get(detail)
        return None if kind is None else Kind(kind)


audit_event_types: Registry[EventType] = Registry("audit event types", key=lambda item: item.code)


def is_denied_name(name: str) -> bool:
    """Say whether a name speaks of a secret, which no entry may hold."""
    return any(word in name.lower() for word in _DENIED)


def _check_detail(code: str, name: str) -> None:
    if not _DETAIL.fullmatch(name) or is_denied_name(name):
        raise DeclarationError(f"{code}: detail {name} may not be recorded")
