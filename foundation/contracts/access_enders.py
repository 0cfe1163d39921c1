"""Access enders: what must stop when a person loses access (identity.md 7)."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class AccessEnder:
    """One contributed way to end access.

    Attributes:
        name: unique name.
        end: given a user id and the reason; returns how many accesses it ended.
    """

    name: str
    end: Callable[[UUID, str], int]


access_enders: Registry[AccessEnder] = Registry("access enders", key=lambda ender: ender.name)
