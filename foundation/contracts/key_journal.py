"""Port: where the key store's events are journalled.

``encryption`` stands below ``audit`` and must not import it; ``audit`` provides the implementation
at start. Events that come before that (keys made during migrations) wait and are handed over, and
a system check of ``encryption`` refuses a start without an implementation: no event is dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from foundation.registry import Port


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One event of the key store.

    Attributes:
        name: event type, for example ``encryption.key.created``.
        outcome: ``success``, ``failure`` or ``denied``.
        details: plain values, free of personal data and secrets.
    """

    name: str
    outcome: str = "success"
    details: Mapping[str, str] = field(default_factory=dict)


class KeyJournal(Protocol):
    """What ``audit`` provides."""

    def record(self, event: KeyEvent) -> None:
        """Write one event of the key store into the journal."""
        ...

    def write_waiting(self) -> None:
        """Write the events that could not be written when they came."""
        ...


port: "Port[KeyJournal]" = Port("key journal")

_waiting: list[KeyEvent] = []


def provide(journal: KeyJournal) -> None:
    """Set the journal and hand over the events that came before it."""
    port.provide(journal)
    while _waiting:
        journal.record(_waiting.pop(0))


def record(event: KeyEvent) -> None:
    """Write one event, or keep it until there is a journal."""
    if port.is_provided:
        port.implementation.record(event)
    else:
        _waiting.append(event)


def write_waiting() -> None:
    """Let the journal write what waits; called when keys are there again, which it needs too."""
    if port.is_provided:
        port.implementation.write_waiting()
