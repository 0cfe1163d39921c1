"""The one source of the current time.

Tests that move time write an offset row into a database that is marked as a test database; nothing
else ever moves this clock. What must stay on real time (leases, journal time, the xid horizon,
signatures of outgoing messages) takes it from the database or from ``real_now`` and is listed here:
journal ``occurred_at``, leases (``foundation.leases``, alerts, loops), sessions of database
transactions.
"""

from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """Return the current time, aware and in UTC."""
    return real_now() + _offset


def real_now() -> datetime:
    """Return the time of the machine, which no test can move."""
    return datetime.now(tz=UTC)


def set_offset(offset: timedelta) -> None:
    """Move ``now`` by an offset.

    Called only for databases marked as test databases (``portal.embedded`` marks them).
    """
    global _offset  # noqa: PLW0603  one process-wide offset is the point of this module
    _offset = offset
