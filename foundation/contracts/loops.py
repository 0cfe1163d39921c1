"""Loops: work that repeats in ``run_loops`` under leader election."""

from collections.abc import Callable
from dataclasses import dataclass

from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class Loop:
    """One repeated step.

    Attributes:
        name: unique name, also of the advisory lock that elects the leader.
        step: does one round and says whether more work is waiting, so that the next round
            starts at once.
        interval_seconds: pause after a round that found nothing more.
        alias: database alias whose connection holds the lock.
    """

    name: str
    step: Callable[[], bool]
    interval_seconds: float
    alias: str = "default"


loops: Registry[Loop] = Registry("loops", key=lambda loop: loop.name)
