"""Port: which organisations there are; for jobs that walk over the rows of all of them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from foundation.registry import Port


class OrganisationDirectory(Protocol):
    """What accounts implements."""

    def all_ids(self) -> Sequence[UUID]:
        """Return the ids of all organisations, suspended ones too."""
        ...


organisation_directory: Port[OrganisationDirectory] = Port("organisation directory")
