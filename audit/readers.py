"""Journal readers: what reacts to entries; each has its own cursor (audit.md 8).

Writers know no readers. A stopped reader catches up, and nothing that was rolled back is read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit.cursors import JournalEntry
from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class Reader:
    """One reaction to entries.

    Attributes:
        name: unique, for ever; also the name of its cursor.
        react: is given entries in order and stores its result in the present transaction on
            ``default``, in which the cursor moves too. It sends nothing: what must be sent is
            stored as a row that is due.
        types: codes it is given; empty means all.
        batch: how many entries it is given at once, at most.
    """

    name: str
    react: Callable[[Sequence[JournalEntry]], None]
    types: frozenset[str] = frozenset()
    batch: int = 500


readers: Registry[Reader] = Registry("journal readers", key=lambda reader: reader.name)
