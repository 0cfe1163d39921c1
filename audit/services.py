"""What other floors call: write an entry, say what changed, read personal data on the record."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet

from audit import context, entries, rows
from audit.audit_events import DATA_READ
from audit.changes import diff, of_pairs, snapshot
from audit.errors import PurposeMissing, ReasonMissing
from audit.events import EventType, Outcome, audit_event_types
from audit.models import Subject
from audit.types import PERSON, Change, EntryRefused, JournalTarget, Target
from encryption import services as keys
from foundation.principals import Principal

__all__ = [
    "Change",
    "Target",
    "diff",
    "identifier_digest",
    "introduce",
    "is_reading",
    "reading",
    "record",
    "snapshot",
    "target_of",
]

MAX_IDS = 100
IDENTIFIER_PURPOSE: Final = "audit.identifier"
FILTER_PURPOSE: Final = "audit.filter"

Readable = TypeVar("Readable", bound=Model | QuerySet[Model])

_reading: ContextVar[bool] = ContextVar("reading_on_record", default=False)


def record(  # noqa: PLR0913  one keyword per question an auditor asks
    event_type: EventType,
    *,
    principal: Principal,
    target: object = None,
    organisation: UUID | None = None,
    outcome: Outcome | str = Outcome.SUCCESS,
    changes: Mapping[str, Change | tuple[object, object]] | None = None,
    purpose: str = "",
    reason: str | None = "",
    details: Mapping[str, object] | None = None,
    about: UUID | None = None,
) -> None:
    """Write one entry; where it cannot be written the act must not happen, so errors are passed on.

    Args:
        event_type: the registered kind; decides connection, severity and retention.
        principal: who acts.
        target: what it was done to: a model object, a :class:`Target` or None. People are named
            by their subject id.
        organisation: whose entry it is; by default the target's organisation, else the
            principal's.
        outcome: ``success``, ``failure`` or ``denied``.
        changes: from :func:`diff`, or pairs (before, after) of values that are not personal.
        purpose: code of the purpose of processing.
        reason: in the actor's words, without personal data.
        details: as declared by the type; those of kind ``personal`` are sealed.
        about: subject id of the person whose data it is, if that is not the target.

    Raises:
        EntryRefused: the entry breaks the declaration of its type.
        ReasonMissing: the type needs a reason.
        PurposeMissing: the type needs a purpose.
        KeysUnavailable: the personal parts cannot be sealed now.
    """
    if event_type.code not in audit_event_types:
        raise EntryRefused(f"{event_type.code} is not registered")
    if event_type.needs_reason and not (reason or "").strip():
        raise ReasonMissing("Say why, in your own words.")
    if event_type.needs_purpose and not purpose:
        raise PurposeMissing("Say for which purpose.")
    named = target_of(target)
    act = entries.Act(
        event_type=event_type,
        principal=principal,
        target=named,
        organisation_id=organisation or _organisation_of(named, principal),
        outcome=Outcome(outcome),
        changes=of_pairs(changes or {}),
        purpose=purpose,
        reason=reason or "",
        details=details or {},
        about=about,
    )
    rows.insert(entries.row_of(act, context.current()), using=event_type.connection.value)


@contextmanager
def reading(
    what: Readable, purpose: str, *, principal: Principal, event_type: EventType = DATA_READ
) -> Iterator[Readable]:
    """Read personal data on the record: one entry per look, written before the data is handed out.

    A list is one entry with count, keyed digest of its filter and up to 100 ids. The queryset is
    evaluated on entering, so that what is recorded is what is seen.

    Args:
        what: one object or a queryset.
        purpose: code of the purpose.
        principal: who reads.
        event_type: a read type of the app's own with the details of ``audit.data.read``.
    """
    about, target, details = _look(what)
    record(
        event_type,
        principal=principal,
        target=target,
        purpose=purpose,
        details=details,
        about=about,
    )
    token = _reading.set(True)
    try:
        yield what
    finally:
        _reading.reset(token)


def introduce(subject_id: UUID, *, principal_id: UUID, kind: str = "user") -> None:
    """Say who stands behind a subject id; the erasure of the person takes it back."""
    Subject.objects.bulk_create(
        [Subject(subject_id=subject_id, principal_id=principal_id, kind=kind)],
        ignore_conflicts=True,
    )


def is_reading() -> bool:
    """Say whether a read on the record is open; managers of sensitive models ask."""
    return _reading.get()


def identifier_digest(identifier: str) -> str:
    """Return the keyed digest that stands for a sign-in identifier nobody owns.

    Entries of failed sign-ins hold it in the detail ``identifier``; the detection rules count by
    it.
    """
    return keys.mac(IDENTIFIER_PURPOSE, identifier.strip().casefold().encode()).hex()


def target_of(target: object) -> Target | None:
    """Return the name under which entries speak of an object.

    Raises:
        EntryRefused: the object is neither a target nor a saved model.
    """
    if target is None or isinstance(target, Target):
        return target
    if isinstance(target, JournalTarget):
        return target.journal_target()
    if isinstance(target, Model):
        return _model_target(target)
    raise EntryRefused(f"{type(target).__name__} cannot be the target of an entry")


def _model_target(row: Model) -> Target:
    organisation = getattr(row, "organisation_id", None)
    organisation_id = organisation if isinstance(organisation, UUID) else None
    if row._meta.label == settings.AUTH_USER_MODEL:  # noqa: SLF001  Django's model API
        return Target(PERSON, str(getattr(row, "subject_id", "")), organisation_id)
    name = f"{row._meta.app_label}.{row._meta.model_name}"  # noqa: SLF001
    return Target(name, str(row.pk), organisation_id)


def _organisation_of(target: Target | None, principal: Principal) -> UUID | None:
    if target is not None and target.organisation_id is not None:
        return target.organisation_id
    return principal.organisation_id


def _look(what: Model | QuerySet[Model]) -> tuple[UUID | None, Target | None, dict[str, object]]:
    if isinstance(what, Model):
        subject = getattr(what, "subject_id", None)
        return subject if isinstance(subject, UUID) else None, target_of(what), {"count": 1}
    seen = list(what)
    label = what.model._meta  # noqa: SLF001  Django's model API
    details: dict[str, object] = {
        "count": len(seen),
        "kind": f"{label.app_label}.{label.model_name}",
        "ids": [str(row.pk) for row in seen[:MAX_IDS]],
        "filter": keys.mac(FILTER_PURPOSE, str(what.query).encode())[:8].hex(),
    }
    return None, None, details
