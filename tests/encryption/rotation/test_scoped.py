"""Rows of organisations: the jobs see them through the same walls as the pages."""

import pytest
from django.db import connections

from encryption.key_tables import BlindIndexEntry, DataKey, RotationRun
from encryption.rotation import runs
from encryption.rotation.data_keys import DataKeysJob
from encryption.rotation.index_roots import IndexJob
from encryption.rotation.jobs import Progress
from encryption.rotation.runs import Worker
from encryption.services import drop_keys
from encryption.types import KeyState, OwnerKind
from foundation.tenancy import organisation_scope
from tests.factories.records import COMPANY, IBAN, member, organisation, organisation_of, record
from workspace.records.models import RecordValue


def all_of_it(worker: Worker) -> RotationRun:
    while worker.work(1.0) is not Progress.DONE:
        pass
    return RotationRun.objects.get(pk=worker.run.pk)


def values() -> dict[object, str | None]:
    """Open the organisation's texts of all organisations."""
    drop_keys()
    found: dict[object, str | None] = {}
    for one in ORGANISATIONS:
        with organisation_scope(one):
            found |= {row.pk: row.organisation_text for row in RecordValue.objects.all()}
    return found


ORGANISATIONS: list = []  # type: ignore[type-arg]


@pytest.fixture(autouse=True)
def records() -> None:
    """Make records of three organisations."""
    ORGANISATIONS.clear()
    for _ in range(3):
        owner = member(organisation())
        record(owner, values=COMPANY)
        ORGANISATIONS.append(organisation_of(owner))


def test_values_of_every_organisation_are_sealed_anew() -> None:
    before = values()

    run = runs.start_data_keys(OwnerKind.ORGANISATION, by="test")
    ended = all_of_it(Worker(run, DataKeysJob(run)))

    assert len(before) >= 9
    assert values() == before
    assert (ended.left, ended.last_error) == (0, "")
    retired = DataKey.objects.filter(owner_id__in=ORGANISATIONS, state=KeyState.RETIRED)
    ids = {row.pk.to_bytes(8, "big", signed=True) for row in retired}
    assert len(ids) == 3
    for one in ORGANISATIONS:
        with organisation_scope(one), connections["default"].cursor() as cursor:
            cursor.execute("SELECT organisation_text, identifier FROM records_value")
            cells = [bytes(cell) for row in cursor.fetchall() for cell in row if cell is not None]
            assert cells
            assert {cell[1:9] for cell in cells}.isdisjoint(ids)


def test_payloads_that_the_web_role_does_not_read_keep_their_key() -> None:
    run = runs.start_data_keys(OwnerKind.CREDENTIAL, by="test")

    ended = all_of_it(Worker(run, DataKeysJob(run)))

    assert ended.note == "kept under the retired key: vault.credential_version.payload"


def test_identifiers_of_every_organisation_are_found_under_the_new_index_root() -> None:
    run = runs.start_index(by="test")

    all_of_it(Worker(run, IndexJob(run, settle_seconds=0.0)))

    assert set(BlindIndexEntry.objects.values_list("epoch", flat=True)) == {2}
    drop_keys()
    for one in ORGANISATIONS:
        with organisation_scope(one):
            assert len(RecordValue.objects.matching(identifier=IBAN)) == 1
