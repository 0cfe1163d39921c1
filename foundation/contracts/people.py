"""Port of the person directory: who may be told, asked by floors below accounts."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from foundation.registry import Port


@dataclass(frozen=True, slots=True)
class NoticeContact:
    """Where notices to a person go.

    Attributes:
        addresses: all confirmed notice addresses; empty for an erased person.
        language: the person's language code.
    """

    addresses: tuple[str, ...]
    language: str


class PersonDirectory(Protocol):
    """What accounts implements."""

    def notice_addresses(self, subject_id: UUID) -> NoticeContact:
        """Return where to tell a person something."""


person_directory: Port[PersonDirectory] = Port("person directory")
