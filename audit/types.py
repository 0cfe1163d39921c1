"""Shapes of the journal that other packages meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Target:
    """What an act was done to.

    Attributes:
        type: ``<package>.<noun>``, for example ``workspace.record``.
        id: its key as text; of a person the subject id, never a user id or an address.
        organisation_id: organisation it belongs to, if any.
    """

    type: str
    id: str
    organisation_id: UUID | None = None


PERSON = "person"


@runtime_checkable
class JournalTarget(Protocol):
    """An object that says itself how entries name it."""

    def journal_target(self) -> Target:
        """Return the name under which entries speak of this object."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One changed field of an object, split by what may be read for ever.

    Attributes:
        clear: what stands in the body.
        personal: what is sealed under the key of the person it is about; empty for other fields.
    """

    clear: Mapping[str, object]
    personal: Mapping[str, object] = field(default_factory=dict)


Changes = Mapping[str, Change]


class EntryRefused(ValueError):
    """An entry breaks its type's declaration: a mistake in our code, so the act is refused."""
