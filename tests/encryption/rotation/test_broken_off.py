"""What was broken off goes on; what is held, damaged or gone meanwhile does no harm."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from encryption import services, tasks
from encryption.epochs import KekRing, active_row, ring
from encryption.errors import KeysUnavailable, Refused
from encryption.key_tables import BlindIndexEntry, DataKey, KekEpoch, RotationRun
from encryption.rotation import runs, switching
from encryption.rotation.data_keys import SCANNED_AT_ONCE, DataKeysJob
from encryption.rotation.jobs import Progress
from encryption.rotation.switching import switch_epoch
from encryption.types import GENERAL, VAULT, KeyState, OwnerKind
from tests.encryption.key_services import SwitchedService
from tests.encryption.models import Person
from tests.encryption.rotation.rotating import MODELS, finish, worker
from tests.factories.encryption import person, subject, unsaved_person
from tests.servers import FreshDatabase

TABLE = Person._meta.db_table


def steps(run: RotationRun, number: int) -> None:
    """Do some steps in a process that dies afterwards."""
    job = DataKeysJob(run, MODELS)
    for _ in range(number):
        job.step()


def name_of(row: Person) -> str:
    services.drop_keys()
    return Person.objects.get(pk=row.pk).name


@contextmanager
def held(fresh: FreshDatabase, row: Person) -> Iterator[None]:
    """Let another transaction hold a row."""
    with fresh.installation.postgres.connect(fresh.servers.main) as connection:
        connection.autocommit = False
        connection.execute(
            psycopg.sql.SQL("SELECT FROM {} WHERE id = %s FOR UPDATE").format(
                psycopg.sql.Identifier(TABLE)
            ),
            [row.pk],
        )
        yield
        connection.rollback()


@pytest.mark.parametrize("number", range(1, 9))
def test_new_data_keys_go_on_wherever_they_were_broken_off(number: int) -> None:
    rows = [person(name=f"N{place}") for place in range(3)]
    run = runs.start_data_keys(OwnerKind.SUBJECT, by="test")

    steps(run, number)
    finish(RotationRun.objects.get(pk=run.pk))

    assert [name_of(row) for row in rows] == ["N0", "N1", "N2"]
    active = DataKey.objects.filter(owner_kind="subject", state=KeyState.ACTIVE)
    assert set(active.values_list("owner_id", flat=True)) >= {row.subject_id for row in rows}


def test_a_long_table_is_walked_through_in_parts() -> None:
    rows = [unsaved_person() for _ in range(SCANNED_AT_ONCE + 50)]
    one = rows[0].subject_id
    for row in rows:
        row.subject_id = one
    Person.objects.bulk_create(rows)
    run = runs.start_data_keys(OwnerKind.SUBJECT, by="test")
    steps(run, 4)
    before = RotationRun.objects.get(pk=run.pk)
    assert before.cursor.startswith("encryption_tests.Person - ")

    (ended,) = finish(before)

    assert ended.left == 0
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT count(DISTINCT substring(name from 2 for 8)) FROM {TABLE}")  # noqa: S608
        assert cursor.fetchone() == (1,)
    assert name_of(rows[-1]) == rows[-1].name


def test_a_row_that_another_holds_is_sealed_anew_later(fresh_tables: FreshDatabase) -> None:
    row, other = person(name="Ada"), person(name="Eve")
    work = worker(runs.start_data_keys(OwnerKind.SUBJECT, by="test"))

    with held(fresh_tables, row):
        while work.work(1.0) is Progress.MORE:
            pass
        assert not RotationRun.objects.get(pk=work.run.pk).finished_at
    while work.work(1.0) is not Progress.DONE:
        pass

    assert (name_of(row), name_of(other)) == ("Ada", "Eve")
    key_id = bytes(Person.objects.keep_sealed().get(pk=row.pk).name.ciphertext[1:9])  # type: ignore[attr-defined]
    stored = DataKey.objects.get(pk=int.from_bytes(key_id, "big", signed=True))
    assert stored.state == KeyState.ACTIVE


def test_an_owner_erased_while_its_values_wait_stays_erased() -> None:
    row, kept = person(name="Ada"), person(name="Eve")
    run = runs.start_data_keys(OwnerKind.SUBJECT, by="test")
    steps(run, 2)
    services.erase(subject(row.subject_id))

    finish(RotationRun.objects.get(pk=run.pk))

    with pytest.raises(services.Erased):
        name_of(row)
    assert not DataKey.objects.filter(owner_id=row.subject_id).exists()
    assert name_of(kept) == "Eve"


def test_an_index_root_is_replaced_although_a_value_does_not_open() -> None:
    damaged, kept = person(email="ada@example.org"), person(email="eve@example.org")
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"UPDATE {TABLE} SET email = email || 'x'::bytea WHERE id = %s",  # noqa: S608
            [damaged.pk],
        )

    finish(runs.start_index(by="test"))

    assert list(BlindIndexEntry.objects.values_list("row", "epoch")) == [(kept.pk, 2)]
    assert Person.objects.matching(email="eve@example.org") == [kept]


def test_a_second_process_takes_the_pending_epoch_of_the_first() -> None:
    person()
    made = switching._made(GENERAL)
    assert switching._inserted_or_found(GENERAL, made.number, b"other", "key_file:1") == (
        made,
        False,
    )

    assert switch_epoch(GENERAL, number=2) == made
    old = KekEpoch.objects.get(purpose=GENERAL, number=1)
    assert switching._switched(old, made) == active_row(GENERAL)  # a late process changes nothing


def test_an_epoch_that_does_not_open_is_never_switched_to() -> None:
    person()
    made = switching._made(GENERAL)
    KekEpoch.objects.filter(pk=made.pk).update(blob=b"\x01" + bytes(64))

    with pytest.raises(Refused):
        switch_epoch(GENERAL, number=2)

    active = active_row(GENERAL)
    assert active is not None
    assert active.number == 1


def test_the_first_switch_of_all_makes_the_first_epoch() -> None:
    assert switch_epoch(GENERAL, number=1).number == 1


def test_a_ring_whose_switches_never_end_says_so(root_key: Path) -> None:
    person()
    other = KekRing(lambda: SwitchedService(root_key))
    other.active(GENERAL)
    stale = other._keks.copy()

    class Stale(KekRing):
        def active(self, purpose: str) -> "object":  # type: ignore[override]
            del purpose
            return next(iter(stale.values()))

    switch_epoch(GENERAL, number=2)
    with pytest.raises(KeysUnavailable, match="again and again"):
        Stale(lambda: SwitchedService(root_key)).under_active(GENERAL, lambda _kek, alias: alias)


def test_a_ring_forgets_an_epoch_without_keys_and_asks_nobody(root_key: Path) -> None:
    assert root_key
    seconds = [0.0]
    other = KekRing(clock=lambda: seconds[0])
    old = other.active(GENERAL)
    finish(*runs.start_root(by="test"))
    seconds[0] += 301
    other.get(old.row_id, GENERAL)

    other.confirm()

    assert other.active(GENERAL).number == 2
    assert ring.active(GENERAL).number == 2


def test_the_vault_s_runs_are_worked_on_by_its_task(key_pair: Callable[[], bytes]) -> None:
    run = runs.start_epoch(VAULT, by="test")

    tasks.rotate_vault()

    run.refresh_from_db()
    assert run.finished_at is not None
    assert key_pair() == b"secret"


@pytest.fixture
def key_pair() -> Callable[[], bytes]:
    """Seal something to the vault, and give what opens it."""
    services.ensure_key_pair()
    sealed = services.seal_to_vault(b"secret", b"")
    return lambda: services.open_from_vault(sealed, b"")


def test_the_command_goes_on_with_what_was_begun(capsys: pytest.CaptureFixture[str]) -> None:
    person()
    runs.start_epoch(GENERAL, by="page")

    call_command("rotate_keys", "resume")

    assert "epoch general: " in capsys.readouterr().out
    assert not runs.open_runs().exists()
