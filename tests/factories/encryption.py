"""Objects of the encryption tests."""

from itertools import count
from uuid import UUID, uuid4

from encryption.types import Owner, OwnerKind
from tests.encryption.models import Person

_numbers = count(1)


def person(**values: object) -> Person:
    """Return a saved person."""
    made = unsaved_person(**values)
    made.save()
    return made


def unsaved_person(**values: object) -> Person:
    """Return a person that is not saved."""
    number = next(_numbers)
    given: dict[str, object] = {
        "name": f"Name {number}",
        "email": f"person{number}@example.org",
        "note": f"Note {number}",
        "code": f"P{number}",
    }
    return Person(**(given | values))


def subject(subject_id: UUID | None = None) -> Owner:
    """Return a data subject as owner of keys."""
    return Owner(OwnerKind.SUBJECT, subject_id or uuid4())
