"""Runs the loops of ``foundation.contracts.loops``.

Each loop has a thread and, as Django keeps connections per thread, connections of its own. Its
leader holds a session advisory lock on a further connection of its alias; the lock is asked for
before each step, so that a process whose database went away stops leading.
"""

import hashlib
import logging
from threading import Event, Thread
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connections

from encryption.services import check_revocations
from foundation.contracts.loops import Loop, loops
from portal import test_clock

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_CLASS = 7_316
_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_JOIN_SECONDS = 8.0
_WITHOUT_LEAD = 5.0

logger = logging.getLogger("portal.loops")


def run_all(stop: Event) -> None:
    """Run every loop whose database alias this process has, until ``stop`` is set."""
    runners = [LoopRunner(loop, stop) for loop in loops.all() if loop.alias in connections]
    threads = [Thread(target=runner.run, name=runner.loop.name, daemon=True) for runner in runners]
    for thread in threads:
        thread.start()
    logger.info("loops started", extra={"count": len(runners)})
    stop.wait()
    for thread in threads:
        thread.join(_JOIN_SECONDS)
    logger.info("loops ended")


class LoopRunner:
    """One loop in one thread."""

    def __init__(self, loop: Loop, stop: Event) -> None:
        self.loop = loop
        self._stop = stop
        self._lead: BaseDatabaseWrapper | None = None
        self._failures = 0

    def run(self) -> None:
        """Step, pause, and start over after any error, with growing pauses."""
        while not self._stop.is_set():
            self._stop.wait(self._round())
        self._give_up_lead()
        connections.close_all()

    def _round(self) -> float:
        """Do one round; return how long to pause after it."""
        try:
            if not self._leads():
                return _WITHOUT_LEAD
            test_clock.refresh()
            check_revocations()
            more = self.loop.step()
        except Exception:
            if not self._failures:  # said once in a row
                logger.exception("loop failed", extra={"loop": self.loop.name})
            return self._after_failure()
        self._failures = 0
        return 0.0 if more else self.loop.interval_seconds

    def _after_failure(self) -> float:
        """Drop all connections, so that the next round opens good ones; return the pause."""
        self._failures += 1
        self._give_up_lead()
        connections.close_all()
        return min(_SHORTEST_PAUSE * 2.0 ** (self._failures - 1), _LONGEST_PAUSE)

    def _leads(self) -> bool:
        """Say whether this process leads; raises when the connection of the lead is gone."""
        if self._lead is not None:
            with self._lead.cursor() as cursor:
                cursor.execute("SELECT 1")
            return True
        candidate = connections.create_connection(self.loop.alias)
        with candidate.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, lock_number(self.loop.name)]
            )
            row = cursor.fetchone()
        if not row or not row[0]:
            candidate.close()
            return False
        self._lead = candidate
        logger.debug("loop leads", extra={"loop": self.loop.name})
        return True

    def _give_up_lead(self) -> None:
        lead, self._lead = self._lead, None
        if lead is not None:
            try:
                lead.close()
            except (DatabaseError, InterfaceError):
                logger.info("connection of a lead was gone", extra={"loop": self.loop.name})


def lock_number(name: str) -> int:
    """Return the 32-bit number of a loop's advisory lock."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big", signed=True)
