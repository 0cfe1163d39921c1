"""Health checks: each dependency says whether it answers, and what to do when it does not."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from foundation.registry import Registry


class HealthState(StrEnum):
    """Colour of one line."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """What a check found.

    Attributes:
        state: colour.
        detail: plain words for staff, without secrets.
        cure: what to do; empty when green.
    """

    state: HealthState
    detail: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One registered check.

    Attributes:
        name: unique name, for example ``database``.
        run: does the check; may raise, which counts as red.
        ready: whether ``/health/ready`` waits for it.
    """

    name: str
    run: Callable[[], HealthAnswer]
    ready: bool = False


health_checks: Registry[HealthCheck] = Registry("health checks", key=lambda check: check.name)
