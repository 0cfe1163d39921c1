"""Drives rotation runs in tests."""

from collections.abc import Iterable

from django.db.models import Model

from encryption.key_tables import RotationRun
from encryption.rotation import runs
from encryption.rotation.data_keys import DataKeysJob
from encryption.rotation.index_roots import IndexJob
from encryption.rotation.jobs import Progress
from encryption.rotation.runs import Worker
from encryption.types import RotationKind
from tests.encryption.models import Manager, Person, Supplier

MODELS: tuple[type[Model], ...] = (Person, Manager, Supplier)
ROUNDS = 50


def worker(
    run: RotationRun, models: Iterable[type[Model]] = MODELS, *, settle_seconds: float = 0.0
) -> Worker:
    """Return a worker whose jobs see the models of the tests too."""
    if run.kind == RotationKind.DATA_KEYS:
        return Worker(run, DataKeysJob(run, models))
    if run.kind == RotationKind.INDEX:
        return Worker(run, IndexJob(run, models, settle_seconds=settle_seconds))
    return Worker(run)


def finish(*started: RotationRun) -> list[RotationRun]:
    """Work on runs in turn until all are done, and return them as they stand then."""
    workers = [worker(run) for run in started]
    open_workers = list(workers)
    for _ in range(ROUNDS):
        open_workers = [found for found in open_workers if found.work(1.0) is not Progress.DONE]
        if not open_workers:
            return [RotationRun.objects.get(pk=run.pk) for run in started]
    raise AssertionError([str(run) for run in runs.open_runs()])
