"""One step of a reader: read on, store the result and move the cursor in one transaction."""

import logging
from collections.abc import Sequence
from typing import Final

from django.db import InterfaceError, OperationalError, transaction

from audit.cursors import JournalEntry, Position, below_horizon, position_of
from audit.models import Cursor
from audit.readers import Reader, readers
from foundation import clock

MAX_ERROR: Final = 200

_log = logging.getLogger(__name__)


def run_readers() -> bool:
    """Take each reader one step further; say whether one of them has more to read.

    A reader that fails keeps its place, says so on its cursor and does not hold up the others.
    """
    more = False
    for reader in readers:
        try:
            more = advance(reader) or more
        except (OperationalError, InterfaceError):
            raise  # the database is away: the loop opens its connections anew
        except Exception as error:  # noqa: BLE001  a faulty reader must not stop the others
            _log.exception("journal reader failed", extra={"reader": reader.name})
            _note_failure(reader, error)
    return more


def advance(reader: Reader) -> bool:
    """Give a reader its next entries; say whether more may be waiting."""
    cursor, _ = Cursor.objects.get_or_create(reader=reader.name)
    if not below_horizon(position_of(cursor), limit=1):
        return False  # without a lock and so without a transaction id: a quiet journal costs little
    return _read_on(reader)


@transaction.atomic
def _read_on(reader: Reader) -> bool:
    # The cursor's row is locked first, so that two processes never give out the same entries.
    cursor = Cursor.objects.select_for_update().get(reader=reader.name)
    entries = below_horizon(position_of(cursor), limit=reader.batch)
    if not entries:
        return False
    wanted = _wanted(reader, entries)
    if wanted:
        reader.react(wanted)
    _move(cursor, entries[-1].position)
    return len(entries) == reader.batch


def _wanted(reader: Reader, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    return [entry for entry in entries if not reader.types or entry.type in reader.types]


def _move(cursor: Cursor, to: Position) -> None:
    cursor.epoch, cursor.xid, cursor.seq = to.epoch, to.xid, to.seq
    cursor.occurred_at = to.occurred_at
    cursor.moved_at = clock.real_now()
    cursor.failures = 0
    cursor.last_error = ""
    cursor.save()


def _note_failure(reader: Reader, error: Exception) -> None:
    cursor, _ = Cursor.objects.get_or_create(reader=reader.name)
    cursor.failures += 1
    cursor.last_error = f"{type(error).__name__}"[:MAX_ERROR]
    cursor.save(update_fields=["failures", "last_error"])
