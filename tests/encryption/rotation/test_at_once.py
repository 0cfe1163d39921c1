"""Two rotations at once, and a clock that jumps."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from encryption import services
from encryption.epochs import active_row
from encryption.key_tables import DataKey, KekEpoch, RotationRun
from encryption.rotation import runs
from encryption.rotation.destruction import destroy_epoch, verify_backup
from encryption.rotation.jobs import Progress
from encryption.types import GENERAL, KeyState, OwnerKind
from foundation import clock
from foundation.errors import Conflict
from tests.encryption.models import Person
from tests.encryption.rotation.rotating import finish, worker
from tests.factories.encryption import unsaved_person
from tests.proofs import Tried

PEOPLE = 1500


def people() -> dict[object, str]:
    rows = [unsaved_person() for _ in range(PEOPLE)]
    Person.objects.bulk_create(rows)
    return {row.pk: row.name for row in rows}


def read() -> dict[object, str]:
    services.drop_keys()
    return {row.pk: row.name for row in Person.objects.all()}


def until_done(run: RotationRun) -> int:
    """Work in a thread of its own, with connections of its own; return the number of slices."""
    try:
        work, slices = worker(run), 1
        while work.work(0.05) is not Progress.DONE:
            slices += 1
        return slices
    finally:
        connections.close_all()


@pytest.mark.proof("encryption: two rotations at once end with one active epoch and every value")
@pytest.mark.usefixtures("fresh_tables")
def test_two_rotations_at_once_share_the_work(tried: Tried) -> None:
    names = people()
    started = [
        runs.start_epoch(GENERAL, by="one"),
        runs.start_data_keys(OwnerKind.SUBJECT, by="two"),
    ]

    with ThreadPoolExecutor(4) as pool:  # each run by two workers
        slices = list(pool.map(until_done, [*started, *started]))

    assert read() == names
    assert len(slices) == 4
    assert KekEpoch.objects.filter(purpose=GENERAL, state=KeyState.ACTIVE).count() == 1
    active = active_row(GENERAL)
    assert active is not None
    assert active.number == 2
    assert not DataKey.objects.exclude(epoch=active.pk).exists()
    states = DataKey.objects.filter(owner_kind="subject").values_list("state", flat=True)
    assert (states.filter(state="active").count(), states.filter(state="retired").count()) == (
        PEOPLE,
        PEOPLE,
    )
    assert set(RotationRun.objects.values_list("left", flat=True)) == {0}
    tried.case(len(names))


@pytest.mark.proof("encryption: rotations and destruction hold when the clock jumps")
def test_a_clock_that_jumps_changes_nothing(tried: Tried) -> None:
    rows = [unsaved_person() for _ in range(30)]
    Person.objects.bulk_create(rows)
    names = {row.pk: row.name for row in rows}
    before = clock.now()
    try:
        for days in (400, -400, 0):
            run = runs.start_epoch(GENERAL, by="test")
            work = worker(run)
            work.work(0.0)
            work._job.step()
            clock.set_offset(timedelta(days=days))
            finish(run, runs.start_data_keys(OwnerKind.SUBJECT, by="test"))
            assert read() == names
            tried.case()
        with pytest.raises(Conflict, match="restored and verified"):
            destroy_epoch(GENERAL, 1)
        verify_backup("dated ahead", taken_at=before + timedelta(days=400))
        with pytest.raises(Conflict, match="restored and verified"):
            destroy_epoch(GENERAL, 1)
        verify_backup("good", taken_at=clock.real_now())
        assert not destroy_epoch(GENERAL, 1).is_dead  # its root version wraps on
    finally:
        clock.set_offset(timedelta(0))
