"""How quick batches are, beside one row at a time on the same rows."""

import time
from typing import TYPE_CHECKING

import pytest

from encryption import services
from encryption.epochs import ring
from encryption.key_tables import DataKey, RotationRun
from encryption.rotation import runs
from encryption.rotation.jobs import Progress
from encryption.types import GENERAL, OwnerKind
from tests.encryption.models import Person
from tests.encryption.rotation.rotating import worker
from tests.factories.encryption import unsaved_person
from tests.proofs import Tried

if TYPE_CHECKING:
    from uuid import UUID

PEOPLE = 6000
SINGLE = 200
TIMES = 5


def seconds(run: RotationRun) -> float:
    began = time.perf_counter()
    work = worker(run, (Person,))
    while work.work(10.0) is not Progress.DONE:
        pass
    return time.perf_counter() - began


def seconds_row_by_row(keys: "list[UUID]") -> float:
    """Seal the same fields anew as a plain loop would."""
    began = time.perf_counter()
    for key in keys:
        row = Person.objects.get(pk=key)
        for name in ("name", "email", "data"):
            value = getattr(row, name)
            del row.__dict__[name]
            setattr(row, name, value)
        row.save()
    return (time.perf_counter() - began) / len(keys)


@pytest.mark.slow
@pytest.mark.proof("encryption: values are sealed anew in batches, over 5x one row at a time")
@pytest.mark.usefixtures("fresh_tables")
def test_batches_are_much_quicker_than_single_rows(tried: Tried) -> None:
    rows = [unsaved_person(data={"number": number}) for number in range(PEOPLE)]
    organisation = rows[0].organisation_id
    for row in rows:
        row.organisation_id = organisation
    Person.objects.bulk_create(rows)
    keys = DataKey.objects.count()
    ring.active(GENERAL)

    wrapped = seconds(runs.start_epoch(GENERAL, by="test"))
    sealed = seconds(runs.start_data_keys(OwnerKind.SUBJECT, by="test"))
    notes = seconds(runs.start_data_keys(OwnerKind.ORGANISATION, by="test"))
    single = seconds_row_by_row([row.pk for row in rows[:SINGLE]])

    tried.case(PEOPLE)
    tried.figure(
        f"{keys / wrapped:,.0f} keys/s wrapped anew; rows/s sealed anew: "
        f"{PEOPLE / sealed:,.0f} with a new key each, {PEOPLE / notes:,.0f} under one key; "
        f"row by row {1 / single:,.0f}"
    )
    assert services.ring_state() == "ok"
    assert single * PEOPLE > TIMES * notes
