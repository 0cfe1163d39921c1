"""Port: where a person is told about their own account; asked by alerts, answered by accounts."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from foundation.registry import Port


@dataclass(frozen=True, slots=True)
class NoticeContact:
    """How to reach one person.

    Attributes:
        addresses: e-mail addresses that are told; empty where the person is gone.
        language: language the person reads.
    """

    addresses: tuple[str, ...]
    language: str


class PersonDirectory(Protocol):
    """What accounts implements."""

    def notice_addresses(self, subject_id: UUID) -> NoticeContact:
        """Return where a person is told, by the subject id of the journal."""
        ...


person_directory: Port[PersonDirectory] = Port("person directory")
