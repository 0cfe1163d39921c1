"""The journal as the key store sees it: implementation of the key journal port."""

import logging
from collections import deque
from typing import Final

from django.db import DatabaseError

from audit import context
from audit.audit_events import KEY_STORE
from audit.context import Context
from audit.services import record
from encryption.errors import KeysUnavailable
from foundation.contracts.key_journal import KeyEvent
from foundation.principals import system

MAX_WAITING: Final = 1000

_log = logging.getLogger(__name__)
_TYPES: Final = {event_type.code: event_type for event_type in KEY_STORE}
_PRINCIPAL: Final = system("encryption")


class KeyStoreJournal:
    """Writes the key store's events by the journal's own connection.

    While keys or database are away an event waits in the process and is written with the next one;
    the key store's own log line stands in any case.
    """

    def __init__(self) -> None:
        self._waiting: deque[KeyEvent] = deque(maxlen=MAX_WAITING)

    def record(self, event: KeyEvent) -> None:
        """Write one event, and those that still wait."""
        self._waiting.append(event)
        self.write_waiting()

    def write_waiting(self) -> None:
        """Write what waits, oldest first, until one cannot be written."""
        while self._waiting:
            event = self._waiting.popleft()
            try:
                _write(event)
            except (DatabaseError, KeysUnavailable) as error:
                self._waiting.appendleft(event)
                _log.warning("key event waits", extra={"event": event.name, "error": str(error)})
                return


def _write(event: KeyEvent) -> None:
    # No address and no name: sealing them would ask the key store for keys once more.
    surroundings = Context(request_id=context.current().request_id)
    facts = [f"{name}={value}" for name, value in sorted(event.details.items())]
    with context.opened(surroundings):
        record(
            _TYPES[event.name],
            principal=_PRINCIPAL,
            outcome=event.outcome,
            details={"facts": facts},
        )
