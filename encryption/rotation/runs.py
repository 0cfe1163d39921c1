"""Rotation runs: started by people or by need, worked on by loops, tasks and the command.

A run is a row; its work is found in the other tables, so a run that was broken off anywhere goes on
by itself. A lease keeps a second worker from doing the same; where two meet, both do a part.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections
from django.db.models import Max, QuerySet
from django.db.models.functions import Now

from encryption.database import KEYS_VAULT, keys_database
from encryption.key_tables import IndexKey, KekEpoch, KekWrap, RotationRun
from encryption.rotation.data_keys import DataKeysJob
from encryption.rotation.destruction import DestroyJob, require_destructible
from encryption.rotation.epochs import EpochJob, RootJob, present_root
from encryption.rotation.index_roots import IndexJob
from encryption.rotation.jobs import Job, Progress
from encryption.router import KEYS
from encryption.types import GENERAL, VAULT, KeyState, OwnerKind, RotationKind
from foundation import leases
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent
from foundation.deferred import defer
from foundation.errors import DomainError, Invalid

LEASE: Final = timedelta(seconds=10)
SLICE_SECONDS: Final = 1.0
VAULT_TASK: Final = "encryption.rotate_vault"

_JOBS: Final[dict[str, Callable[[RotationRun], Job]]] = {
    RotationKind.EPOCH: EpochJob,
    RotationKind.ROOT: RootJob,
    RotationKind.DATA_KEYS: DataKeysJob,
    RotationKind.INDEX: IndexJob,
    RotationKind.DESTROY: DestroyJob,
}
_log = logging.getLogger(__name__)
_UNOWNED: Final = frozenset({OwnerKind.PURPOSE})


def start_epoch(purpose: str, *, by: str) -> RotationRun:
    """Start, or return, the run that moves the keys of a purpose to a new epoch.

    Raises:
        Invalid: there are no epochs of this purpose.
    """
    if purpose not in {GENERAL, VAULT}:
        raise Invalid(f"no epochs of {purpose!r}: it is {GENERAL} or {VAULT}")
    return _start(RotationKind.EPOCH, purpose, by=by)


def start_root(*, by: str) -> list[RotationRun]:
    """Start, or return, the runs that move all epochs to another root version."""
    purposes = [GENERAL, VAULT] if _has_vault() else [GENERAL]
    source = present_root(GENERAL)
    return [_start(RotationKind.ROOT, purpose, by=by, source=source) for purpose in purposes]


def start_data_keys(kind: str, *, by: str, owner: UUID | None = None) -> RotationRun:
    """Start, or return, the run that gives new data keys to owners of a kind, or to one.

    Raises:
        Invalid: keys of purposes have no owner; what they sealed is not in fields.
    """
    if kind not in OwnerKind.values or kind in _UNOWNED:
        known = ", ".join(name for name in OwnerKind.values if name not in _UNOWNED)
        raise Invalid(f"no data keys of {kind!r}: it is one of {known}")
    target = "" if owner is None else str(owner)
    return _start(RotationKind.DATA_KEYS, kind, by=by, target=target)


def start_index(*, by: str) -> RotationRun:
    """Start, or return, the run that moves the blind index to a new root."""
    newest = IndexKey.objects.using(KEYS).exclude(state=KeyState.PENDING)
    number = newest.aggregate(newest=Max("epoch_number"))["newest"] or 1
    return _start(RotationKind.INDEX, "index", by=by, target=str(number + 1))


def start_destruction(purpose: str, number: int, *, by: str) -> RotationRun:
    """Start, or return, the run that destroys an epoch.

    Raises:
        NotFound: there is no such epoch.
        Conflict: it may not be destroyed.
    """
    require_destructible(purpose, number)
    return _start(RotationKind.DESTROY, purpose, by=by, target=str(number))


def open_runs() -> QuerySet[RotationRun]:
    """Return the runs that are not finished, oldest first."""
    rows = RotationRun.objects.using(KEYS).filter(finished_at__isnull=True)
    return rows.order_by("started_at", "pk")


def drive(run: RotationRun, *, tell: Callable[[RotationRun], None]) -> None:
    """Work on a run until it ends.

    Args:
        run: an open run.
        tell: called about once a second, and at the end.

    Raises:
        DomainError: a step failed; the run stays open and can be repeated.
    """
    worker = Worker(run)
    while True:
        progress = worker.work(SLICE_SECONDS)
        tell(RotationRun.objects.using(KEYS).get(pk=run.pk))
        if progress is Progress.DONE:
            return
        if progress is Progress.WAITS:
            time.sleep(SLICE_SECONDS)


class Worker:
    """Works on one run.

    Args:
        run: an open run.
        job: its work; by default the one of its kind.
    """

    def __init__(self, run: RotationRun, job: Job | None = None) -> None:
        self.run = run
        self._job = job or _JOBS[run.kind](run)

    def work(self, seconds: float) -> Progress:
        """Do steps for a while; return what the last one found.

        Raises:
            DomainError: a step failed; the error stands in the run.
        """
        until = time.monotonic() + seconds
        progress = Progress.MORE
        try:
            self._renew()
            while progress is Progress.MORE and time.monotonic() < until:
                with keys_database():
                    progress = self._job.step()
        except DomainError as error:
            self._failed(error.message)
            raise
        if progress is Progress.DONE:
            _finish(self.run)
        return progress

    def _renew(self) -> None:
        with keys_database():
            _row(self.run).update(lease_until=leases.end(LEASE), last_error="")

    def _failed(self, message: str) -> None:
        with keys_database():
            _row(self.run).update(last_error=message[:300])


class Loop:
    """Works on the runs that this process can do, a second at a time.

    Args:
        is_ours: which runs.
    """

    def __init__(self, is_ours: Callable[[RotationRun], bool]) -> None:
        self._is_ours = is_ours
        self._workers: dict[UUID, Worker] = {}

    def step(self) -> bool:
        """Work on each run for a second; say whether more can be done at once."""
        runs = [run for run in open_runs() if self._is_ours(run)]
        self._workers = {run.pk: self._workers.get(run.pk) or Worker(run) for run in runs}
        found = [self._work(run) for run in runs]
        return Progress.MORE in found

    def _work(self, run: RotationRun) -> Progress:
        if not leases.take(_row(run), lease=LEASE):
            return Progress.WAITS
        try:
            return self._workers[run.pk].work(SLICE_SECONDS)
        except DomainError as error:  # it stands in the run; the others go on
            self._workers.pop(run.pk)
            _log.warning("rotation stops: %s", error.message)
            return Progress.WAITS
        except (DatabaseError, InterfaceError):
            self._workers.pop(run.pk)
            raise
        finally:
            _row(run).update(lease_until=None)


def is_of_vault(run: RotationRun) -> bool:
    """Say whether only zone ``vault`` can do a run."""
    return run.purpose == VAULT


def is_general(run: RotationRun) -> bool:
    """Say whether every zone can do a run."""
    return run.purpose != VAULT


_general = Loop(is_general)
_vault = Loop(is_of_vault)


def general_step() -> bool:
    """Work on all runs but those of the vault, of which a worker of its zone is told."""
    if KEYS_VAULT not in connections and open_runs().filter(purpose=VAULT).exists():
        defer(VAULT_TASK)
    return _general.step()


def vault_step() -> bool:
    """Work on the runs of the vault."""
    return _vault.step()


def _start(
    kind: RotationKind, purpose: str, *, by: str, source: str = "", target: str = ""
) -> RotationRun:
    run = RotationRun(kind=kind, purpose=purpose, source=source, target=target, started_by=by)
    run.total = run.left = 1
    with keys_database():
        RotationRun.objects.using(KEYS).bulk_create([run], ignore_conflicts=True)
    return open_runs().get(kind=kind, purpose=purpose)


def _finish(run: RotationRun) -> None:
    with keys_database():
        ended = _row(run).update(finished_at=Now(), left=0, lease_until=None, last_error="")
    if ended and run.kind != RotationKind.DESTROY:
        details = {"kind": str(run.kind), "purpose": run.purpose}
        key_journal.record(KeyEvent("encryption.key.retired", details=details))


def _row(run: RotationRun) -> QuerySet[RotationRun]:
    return open_runs().order_by().filter(pk=run.pk)


def _has_vault() -> bool:
    """Say whether the vault has epochs; role ``gatehouse_keys`` sees their wraps alone."""
    seen = KekEpoch.objects.using(KEYS).exclude(purpose=VAULT).values("pk")
    return KekWrap.objects.using(KEYS).exclude(epoch__in=seen).exists()
