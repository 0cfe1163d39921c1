"""Runs the registered checks: each has two seconds, a good answer is kept for ten."""

import logging
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connections

from foundation.contracts.health import HealthAnswer, HealthCheck, HealthState, health_checks

TIMEOUT_SECONDS = 2.0
KEPT_SECONDS = 10.0
KEPT_WHEN_RED_SECONDS = 2.0  # a cured fault shows soon, and questions never pile up
_THREADS = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: HealthAnswer
    until: float


_kept: dict[str, _Kept] = {}
_running: dict[str, Future[HealthAnswer]] = {}
_pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="health")


def of_readiness() -> dict[str, HealthAnswer]:
    """Return the answers of the checks that ``/health/ready`` waits for."""
    return run([check for check in health_checks.all() if check.ready])


def run(checks: Iterable[HealthCheck]) -> dict[str, HealthAnswer]:
    """Return the answer of each check; one that hangs is red, and is not started twice."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    found = {check.name: _from_kept(check) or _begun(check) for check in checks}
    return {
        name: _awaited(name, answer, deadline) if isinstance(answer, Future) else answer
        for name, answer in found.items()
    }


def forget() -> None:
    """Drop all kept answers, so that the next question is asked anew."""
    _kept.clear()


def _from_kept(check: HealthCheck) -> HealthAnswer | None:
    kept = _kept.get(check.name)
    return kept.answer if kept and kept.until > time.monotonic() else None


def _begun(check: HealthCheck) -> Future[HealthAnswer]:
    """Return the question that is under way, or begin it."""
    future = _running.get(check.name)
    if future is None:
        future = _running[check.name] = _pool.submit(_answer, check)
    return future


def _awaited(name: str, future: Future[HealthAnswer], deadline: float) -> HealthAnswer:
    try:
        answer = future.result(timeout=max(deadline - time.monotonic(), 0))
    except TimeoutError:
        return _red(f"No answer within {TIMEOUT_SECONDS:.0f} s.")
    if _running.get(name) is future:
        _running.pop(name, None)
    good = answer.state is HealthState.GREEN
    until = time.monotonic() + (KEPT_SECONDS if good else KEPT_WHEN_RED_SECONDS)
    _kept[name] = _Kept(answer, until)
    return answer


def _answer(check: HealthCheck) -> HealthAnswer:
    try:
        return check.run()
    except Exception:
        logger.exception("health check failed", extra={"code": check.name})
        return _red("The check failed; the log names the error.")
    finally:
        connections.close_all()


def _red(detail: str) -> HealthAnswer:
    return HealthAnswer(state=HealthState.RED, detail=detail)
