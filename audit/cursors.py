"""Order of entries for readers: (epoch, xid, seq) below the horizon of open transactions.

Sequence numbers are given out before commit, so ``seq > last`` would skip the rows of slower
transactions. A row whose transaction id lies below the oldest running one can have no unseen
forerunner any more; only such rows are read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from uuid import UUID

from django.db import connections

from audit.models import Cursor
from audit.models.entries import READ_ALIAS

PRUNE: Final = timedelta(days=2)

_BELOW_HORIZON: Final = """
    SELECT event_id, epoch, xid::text::bigint, seq, occurred_at, type, outcome, severity,
           organisation_id, actor_type, actor_id, target_type, target_id,
           host(net) || '/' || masklen(net), body
    FROM audit_event
    WHERE (epoch, xid, seq) > (%s, %s::text::xid8, %s)
      AND (xid < pg_snapshot_xmin(pg_current_snapshot())
           OR epoch < (SELECT max(number) FROM audit_epoch))
      AND occurred_at >= %s
    ORDER BY epoch, xid, seq
    LIMIT %s
"""
_LAG: Final = """
    SELECT extract(epoch FROM clock_timestamp() - min(occurred_at)) FROM audit_event
    WHERE epoch = (SELECT max(number) FROM audit_epoch)
      AND xid >= pg_snapshot_xmin(pg_current_snapshot())
      AND occurred_at > clock_timestamp() - interval '2 days'
"""
_EARLIEST: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Position:
    """A place in the order of entries."""

    epoch: int = 0
    xid: int = 0
    seq: int = 0
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class JournalEntry:
    """An entry as readers get it: columns in clear and the body."""

    event_id: UUID
    epoch: int
    xid: int
    seq: int
    occurred_at: datetime
    type: str
    outcome: str
    severity: int
    organisation_id: UUID | None
    actor_type: str
    actor_id: UUID | None
    target_type: str | None
    target_id: str | None
    net: str | None
    body: str

    @cached_property
    def content(self) -> dict[str, object]:
        """The body, read."""
        read: dict[str, object] = json.loads(self.body)
        return read

    def detail(self, name: str) -> object:
        """Return a detail in clear, or None."""
        details = self.content.get("details")
        return details.get(name) if isinstance(details, dict) else None

    @property
    def position(self) -> Position:
        """Where the entry stands."""
        return Position(self.epoch, self.xid, self.seq, self.occurred_at)


def below_horizon(after: Position, *, limit: int) -> Sequence[JournalEntry]:
    """Return the entries after a position whose order is final, in that order."""
    since = _EARLIEST if after.occurred_at is None else after.occurred_at - PRUNE
    with connections[READ_ALIAS].cursor() as cursor:
        cursor.execute(_BELOW_HORIZON, [after.epoch, after.xid, after.seq, since, limit])
        return [JournalEntry(*row) for row in cursor.fetchall()]


def horizon_lag_seconds() -> float:
    """Return the age of the oldest entry that no reader may read yet."""
    with connections[READ_ALIAS].cursor() as cursor:
        cursor.execute(_LAG)
        (seconds,) = cursor.fetchone()
    return float(seconds or 0)


def position_of(cursor: Cursor) -> Position:
    """Return the position a cursor holds."""
    return Position(cursor.epoch, cursor.xid, cursor.seq, cursor.occurred_at)
