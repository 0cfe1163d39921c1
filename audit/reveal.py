"""Opening of the personal parts of one entry: with a reason, recorded before anything is shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit import sealing
from audit.audit_events import ENTRY_REVEALED
from audit.models.entries import Entry
from audit.services import Target, record
from encryption.cells import Fault
from encryption.errors import Erased, Unreadable
from foundation.principals import Principal


@dataclass(frozen=True, slots=True)
class Opened:
    """One opened value, or the word that it is erased."""

    name: str
    value: str


def open_parts(entry: Entry, *, principal: Principal, reason: str) -> tuple[Opened, ...]:
    """Return what the sealed parts of an entry hold; the look is recorded first."""
    record(
        ENTRY_REVEALED,
        principal=principal,
        target=Target("audit.entry", str(entry.event_id), entry.organisation_id),
        reason=reason,
        details={"type": entry.type},
    )
    return tuple(_flat(_actor(entry) | _subject(entry)))


def _actor(entry: Entry) -> dict[str, object]:
    if entry.actor_sealed is None:
        return {}
    try:
        return sealing.open_actor(
            bytes(entry.actor_sealed), event_id=entry.event_id, owner=entry.actor_owner
        )
    except Erased:
        return {"label": str(Fault.ERASED.label)}
    except Unreadable:
        return {"label": str(Fault.UNREADABLE.label)}


def _subject(entry: Entry) -> dict[str, object]:
    owner = entry.subject_owner
    if entry.subject_sealed is None or owner is None:
        return {}
    try:
        return sealing.open_subject(
            bytes(entry.subject_sealed), event_id=entry.event_id, owner=owner
        )
    except Erased:
        return {"subject": str(Fault.ERASED.label)}
    except Unreadable:
        return {"subject": str(Fault.UNREADABLE.label)}


def _flat(values: object, name: str = "") -> Iterator[Opened]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield Opened(name=name, value="" if values is None else str(values))
