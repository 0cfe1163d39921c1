"""Rotation runs: what they move, that they can be repeated, and what they refuse."""

from pathlib import Path

import pytest
from django.db import connections

from encryption import blind_index, services, signing, wrapping
from encryption.database import KEYS_VAULT
from encryption.epochs import KekRing, active_row, ring
from encryption.errors import Refused
from encryption.key_tables import (
    BlindIndexEntry,
    DataKey,
    IndexKey,
    KekEpoch,
    KekWrap,
    RootVersion,
    RotationRun,
    SigningKey,
)
from encryption.keyring import SEALS_LIMIT, Keyring, keyring
from encryption.providers.key_file import add_version
from encryption.rotation import index_roots, runs, switching
from encryption.rotation.jobs import Progress
from encryption.rotation.rewrapping import Rewrapping
from encryption.rotation.switching import switch_epoch
from encryption.services import erase
from encryption.types import DATA, GENERAL, VAULT, KeyState, OwnerKind, RotationKind
from foundation.errors import Invalid
from tests.encryption.conftest import Recorded
from tests.encryption.models import Person
from tests.encryption.rotation.rotating import finish, worker
from tests.factories.encryption import person, subject


def key_ids(name: str = "name") -> set[bytes]:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"SELECT substring({name} from 2 for 8) FROM {Person._meta.db_table}"  # noqa: S608
        )
        return {bytes(row[0]) for row in cursor.fetchall()}


def reread(row: Person) -> tuple[object, ...]:
    services.drop_keys()
    found = Person.objects.get(pk=row.pk)
    return found.name, found.email, found.note


def test_a_new_epoch_takes_all_keys_and_leaves_values_as_they_are(key_events: Recorded) -> None:
    row = person(name="Ada", note="ours")
    signature = services.sign("receipt", b"x")
    before = key_ids()
    old = active_row(GENERAL)

    (run,) = finish(runs.start_epoch(GENERAL, by="test"))

    new = active_row(GENERAL)
    assert old is not None
    assert new is not None
    assert new.number == old.number + 1
    assert (run.left, run.total, run.last_error) == (0, run.total, "")
    assert run.total >= 4  # person, organisation, index root, signing key
    for model in (DataKey, IndexKey, SigningKey):
        assert not model._default_manager.exclude(epoch=new.pk).exists()
    assert KekEpoch.objects.get(pk=old.pk).state == KeyState.RETIRED
    assert KekWrap.objects.get(epoch=old.pk).emptied_at is not None
    assert key_ids() == before
    assert reread(row) == ("Ada", row.email, "ours")
    signing.drop()
    assert services.verify("receipt", b"x", signature)
    services.sign("receipt", b"y")
    assert {"encryption.key.rotated", "encryption.key.retired"} <= set(key_events.names)


def test_starting_twice_gives_the_run_that_is_open() -> None:
    person()

    first, second = runs.start_epoch(GENERAL, by="one"), runs.start_epoch(GENERAL, by="two")

    assert first == second
    assert second.started_by == "one"
    assert str(first) == "epoch general"
    finish(first)
    assert runs.start_epoch(GENERAL, by="three") != first


def test_a_process_that_knew_the_old_epoch_makes_keys_under_the_new_one() -> None:
    person()
    other = Keyring(KekRing())
    other.for_sealing(subject())

    switch_epoch(GENERAL, number=2)
    handle = other.for_sealing(subject())

    made = DataKey.objects.get(pk=wrapping.id_number(handle.key_id))
    assert made.epoch.number == 2
    assert made.epoch.state == KeyState.ACTIVE


def test_a_switch_that_was_broken_off_is_finished_by_the_next() -> None:
    person()
    made = switching._made(GENERAL)  # and the process died here
    assert (made.number, made.state) == (2, KeyState.PENDING)

    assert switch_epoch(GENERAL, number=2) == made

    states = dict(KekEpoch.objects.filter(purpose=GENERAL).values_list("number", "state"))
    assert states == {1: KeyState.RETIRED, 2: KeyState.ACTIVE}
    assert switch_epoch(GENERAL, number=2).number == 2


def test_a_pending_epoch_of_another_root_version_is_given_up(root_key: Path) -> None:
    person()
    switching._made(GENERAL)
    add_version(root_key)

    active = switch_epoch(GENERAL, root_version="key_file:2")

    assert (active.number, active.root_version_id) == (3, "key_file:2")
    assert KekEpoch.objects.get(purpose=GENERAL, number=2).state == KeyState.RETIRED
    with pytest.raises(Refused, match="another root version"):
        switch_epoch(GENERAL, root_version="key_file:1")


def test_an_erased_key_is_not_written_back() -> None:
    gone, kept = person(name="Ada"), person(name="Eve")
    switch_epoch(GENERAL, number=2)
    job = Rewrapping(GENERAL)
    erase(subject(gone.subject_id))

    while job.batch():
        pass

    assert job.left() == 0
    assert not DataKey.objects.filter(owner_id=gone.subject_id).exists()
    assert reread(kept)[0] == "Eve"
    with pytest.raises(services.Erased):
        reread(gone)


def test_a_damaged_key_is_named_and_keeps_the_run_open() -> None:
    row, kept = person(name="Ada"), person(name="Eve")
    DataKey.objects.filter(owner_id=row.subject_id).update(blob=b"\x01" + bytes(60))
    work = worker(runs.start_epoch(GENERAL, by="test"))

    while work.work(1.0) is Progress.MORE:
        pass

    run = RotationRun.objects.get(pk=work.run.pk)
    assert (run.left, run.finished_at) == (1, None)
    assert "do not open" in run.note
    assert KekWrap.objects.get(epoch__number=1, epoch__purpose=GENERAL).emptied_at is None
    assert reread(kept)[0] == "Eve"


def test_keys_of_the_vault_move_through_its_own_role() -> None:
    services.ensure_key_pair()
    sealed = services.seal_to_vault(b"secret", b"x")

    (run,) = finish(runs.start_epoch(VAULT, by="test"))

    assert run.total >= 1
    new = KekEpoch.objects.using(KEYS_VAULT).get(purpose=VAULT, state=KeyState.ACTIVE)
    assert new.number == 2
    assert DataKey.objects.using(KEYS_VAULT).get(purpose=VAULT).epoch_id == new.pk
    services.drop_keys()
    assert services.open_from_vault(sealed, b"x") == b"secret"


def test_a_new_root_version_takes_all_epochs(root_key: Path) -> None:
    row = person(name="Ada")
    services.ensure_key_pair()
    started = runs.start_root(by="test")
    assert [run.purpose for run in started] == [GENERAL, VAULT]

    finish(*started)

    assert len(root_key.read_text().splitlines()) == 2
    assert dict(RootVersion.objects.values_list("name", "state")) == {
        "key_file:1": KeyState.RETIRED,
        "key_file:2": KeyState.ACTIVE,
    }
    for purpose in (GENERAL, VAULT):
        active = active_row(purpose)
        assert active is not None
        assert active.root_version_id == "key_file:2"
    assert reread(row)[0] == "Ada"


def test_values_are_sealed_anew_under_new_data_keys() -> None:
    rows = [person(name=f"N{number}", data={"a": number}) for number in range(5)]
    old, notes = key_ids(), key_ids("note")

    (run,) = finish(runs.start_data_keys(OwnerKind.SUBJECT, by="test"))

    assert run.left == 0
    assert key_ids().isdisjoint(old)
    assert key_ids("data").isdisjoint(old)
    assert key_ids("note") == notes  # the organisation's keys stay
    states = dict(DataKey.objects.filter(purpose=DATA).values_list("pk", "state"))
    assert {states[wrapping.id_number(key_id)] for key_id in old} == {KeyState.RETIRED}
    assert {states[wrapping.id_number(key_id)] for key_id in key_ids()} == {KeyState.ACTIVE}
    for number, row in enumerate(rows):
        assert reread(row)[0] == f"N{number}"
        assert Person.objects.get(pk=row.pk).data == {"a": number}


def test_one_owner_can_have_a_new_key_alone() -> None:
    one, other = person(), person()

    finish(runs.start_data_keys(OwnerKind.SUBJECT, by="test", owner=one.subject_id))

    states = DataKey.objects.filter(owner_id=one.subject_id).values_list("state", flat=True)
    assert sorted(states) == [KeyState.ACTIVE, KeyState.RETIRED]
    assert DataKey.objects.get(owner_id=other.subject_id).state == KeyState.ACTIVE
    assert "kept under the retired key" not in RotationRun.objects.get().note


def test_a_worn_key_starts_its_own_run() -> None:
    row = person(name="Ada")
    handle = keyring.current(subject(row.subject_id))
    handle.spare = 0
    DataKey.objects.filter(owner_id=row.subject_id).update(seals=SEALS_LIMIT)

    keyring.for_sealing(subject(row.subject_id))

    run = runs.open_runs().get()
    assert (run.kind, run.purpose) == (RotationKind.DATA_KEYS, OwnerKind.SUBJECT)
    finish(run)
    assert handle.key_id not in key_ids()
    assert reread(row)[0] == "Ada"


def test_values_that_do_not_open_are_left_as_they_are() -> None:
    row, kept, gone = person(name="Ada"), person(name="Eve"), person(name="Bob")
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"UPDATE {Person._meta.db_table} SET name = name || 'x'::bytea WHERE id = %s",  # noqa: S608
            [row.pk],
        )
    erase(subject(gone.subject_id))

    (run,) = finish(runs.start_data_keys(OwnerKind.SUBJECT, by="test"))

    assert run.note == "1 rows cannot be opened"
    assert reread(kept)[0] == "Eve"
    with pytest.raises(services.Tampered):
        reread(row)
    with pytest.raises(services.Erased):
        reread(gone)


@pytest.mark.parametrize("kind", ["purpose", "nobody"])
def test_keys_without_an_owner_are_not_replaced(kind: str) -> None:
    with pytest.raises(Invalid, match="it is one of subject"):
        runs.start_data_keys(kind, by="test")
    with pytest.raises(Invalid, match="it is general or vault"):
        runs.start_epoch(kind, by="test")


def test_the_blind_index_moves_to_a_new_root() -> None:
    rows = [person(email=f"p{number}@example.org") for number in range(5)]
    old = set(BlindIndexEntry.objects.values_list("epoch", flat=True))
    work = worker(runs.start_index(by="test"))
    work._job.step()
    late = person(email="late@example.org")
    assert BlindIndexEntry.objects.filter(row=late.pk).count() == 2
    assert Person.objects.matching(email="p0@example.org") == [rows[0]]

    while work.work(1.0) is not Progress.DONE:
        pass

    assert old == {1}
    assert set(BlindIndexEntry.objects.values_list("epoch", flat=True)) == {2}
    assert BlindIndexEntry.objects.count() == 6
    for found, address in ((rows[4], "p4@example.org"), (late, "late@example.org")):
        services.drop_keys()
        assert Person.objects.matching(email=address) == [found]
    states = dict(IndexKey.objects.values_list("epoch_number", "state"))
    assert states == {1: KeyState.RETIRED, 2: KeyState.ACTIVE}
    assert blind_index.keys.epoch() == 2


def test_a_new_index_root_waits_until_every_process_has_heard_of_it() -> None:
    row = person(email="ada@example.org")
    work = worker(runs.start_index(by="test"), settle_seconds=index_roots.SETTLE_SECONDS)

    while work.work(1.0) is Progress.MORE:
        pass

    assert IndexKey.objects.get(epoch_number=2).state == KeyState.PENDING
    assert BlindIndexEntry.objects.filter(row=row.pk).count() == 2


def test_the_loop_works_on_runs_that_nobody_else_has() -> None:
    person()
    run = runs.start_epoch(GENERAL, by="test")
    runs._row(run).update(lease_until="2999-01-01T00:00Z")
    loop = runs.Loop(runs.is_general)
    assert loop.step() is False
    runs._row(run).update(lease_until=None)

    while loop.step():
        pass

    run.refresh_from_db()
    assert run.finished_at is not None
    assert not runs.open_runs().exists()
    assert runs.general_step() is False
    assert runs.vault_step() is False
    assert ring.active(GENERAL).number == 2
