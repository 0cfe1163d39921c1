"""Destroying an epoch: what it needs, and that nothing opens afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from encryption import services
from encryption.epochs import EpochDestroyed, KekRing, ring
from encryption.errors import KeyLost, Refused
from encryption.key_tables import EpochFloor, KekEpoch, RootVersion
from encryption.providers.key_file import KeyFile
from encryption.rotation import destruction, overview, runs
from encryption.rotation.destruction import destroy_epoch, require_destructible, verify_backup
from encryption.types import GENERAL, VAULT, KeyState
from foundation import clock
from foundation.errors import Conflict, NotFound
from tests.encryption.conftest import Recorded
from tests.encryption.models import Person
from tests.encryption.rotation.rotating import finish
from tests.factories.encryption import person
from tests.proofs import Tried
from tests.servers import FreshDatabase
from tests.templates import Pair, clone, drop


def verified() -> None:
    verify_backup("backup 1", taken_at=clock.real_now())


def test_an_epoch_dies_with_its_root_version(root_key: Path, key_events: Recorded) -> None:
    row = person(name="Ada")
    finish(*runs.start_root(by="test"))
    verified()

    (run,) = finish(runs.start_destruction(GENERAL, 1, by="test"))

    epoch = KekEpoch.objects.get(purpose=GENERAL, number=1)
    assert (epoch.state, bytes(epoch.blob), run.left) == (KeyState.DESTROYED, b"", 0)
    assert overview.is_dead(epoch)
    assert RootVersion.objects.get(name="key_file:1").state == KeyState.DESTROYED
    assert [line.split()[2] for line in root_key.read_text().splitlines()] == ["2"]
    assert str(EpochFloor.objects.get()) == "general >= 2"
    assert key_events.names.count("encryption.key.destroyed") == 2
    services.drop_keys()
    assert Person.objects.get(pk=row.pk).name == "Ada"
    assert destroy_epoch(GENERAL, 1).is_dead


def test_an_epoch_is_not_destroyed_without_a_backup_that_was_restored_since(root_key: Path) -> None:
    assert root_key
    person()
    too_early = clock.real_now()
    finish(*runs.start_root(by="test"))
    with pytest.raises(Conflict, match="restored and verified"):
        runs.start_destruction(GENERAL, 1, by="test")
    verify_backup("before", taken_at=too_early)
    with pytest.raises(Conflict, match="restored and verified"):
        runs.start_destruction(GENERAL, 1, by="test")
    assert KekEpoch.objects.get(purpose=GENERAL, number=1).state == KeyState.RETIRED

    verified()

    assert require_destructible(GENERAL, 1).number == 1  # control


def test_an_epoch_in_use_or_with_keys_is_not_destroyed(root_key: Path) -> None:
    assert root_key
    person()
    verified()
    with pytest.raises(Conflict, match="is active"):
        destroy_epoch(GENERAL, 1)
    with pytest.raises(NotFound):
        destroy_epoch(GENERAL, 7)
    run = runs.start_epoch(GENERAL, by="test")
    worker = runs.Worker(run)
    worker._job.step()
    with pytest.raises(Conflict, match=r"still holds \d+ keys"):
        destroy_epoch(GENERAL, 1)


def test_a_root_version_that_wraps_on_stays_and_the_run_says_so(root_key: Path) -> None:
    assert root_key
    person()
    finish(runs.start_epoch(GENERAL, by="test"))
    verified()

    done = destroy_epoch(GENERAL, 1)

    assert not done.is_dead
    assert done.waits_for == ("key_file:1 also wrapped 1 epochs that are not destroyed",)
    assert KeyFile(root_key).version == "key_file:1"


def test_a_root_version_of_the_vault_waits_for_its_epoch_too(root_key: Path) -> None:
    person()
    services.ensure_key_pair()
    sealed = services.seal_to_vault(b"secret", b"")
    finish(*runs.start_root(by="test"))
    verified()
    assert "also wrapped 1" in destroy_epoch(GENERAL, 1).waits_for[0]

    assert destroy_epoch(VAULT, 1).is_dead

    assert destroy_epoch(GENERAL, 1).is_dead
    assert len(root_key.read_text().splitlines()) == 1
    services.drop_keys()
    assert services.open_from_vault(sealed, b"") == b"secret"


def test_a_service_that_still_unwraps_is_not_believed(root_key: Path) -> None:
    person()
    finish(*runs.start_root(by="test"))
    verified()
    reason = destruction._why_alive("key_file:1", KekEpoch.objects.get(purpose=GENERAL, number=1))
    assert reason == "key_file:1 still unwraps: destroy it in its key service"
    assert RootVersion.objects.get(name="key_file:1").state == KeyState.RETIRED
    away = root_key.rename(root_key.with_suffix(".away"))
    root_key.mkdir()
    assert "cannot be" in destroy_epoch(GENERAL, 1).waits_for[0]
    root_key.rmdir()
    away.rename(root_key)

    assert destroy_epoch(GENERAL, 1).is_dead


def test_a_destroyed_epoch_is_refused_even_where_its_row_comes_back(root_key: Path) -> None:
    assert root_key
    person()
    old = KekEpoch.objects.get(purpose=GENERAL)
    finish(*runs.start_root(by="test"))
    verified()
    destroy_epoch(GENERAL, 1)
    KekEpoch.objects.filter(pk=old.pk).update(state=KeyState.RETIRED, blob=old.blob)

    with pytest.raises(EpochDestroyed):
        ring.get(old.pk, GENERAL)

    with connections["keys"].cursor() as cursor, pytest.raises(Exception, match="only rises"):
        cursor.execute("UPDATE encryption_epochfloor SET number = 1")


def test_processes_do_not_ask_for_an_epoch_without_keys(root_key: Path) -> None:
    assert root_key
    seconds = [0.0]
    other = KekRing(clock=lambda: seconds[0])
    person()
    other.active(GENERAL)
    finish(*runs.start_root(by="test"))
    other.active(GENERAL)
    verified()
    destroy_epoch(GENERAL, 1)
    seconds[0] += 301
    other.confirm()  # learns that its active epoch was destroyed, and drops nothing else

    assert other.active(GENERAL).number == 2


def test_commands_say_what_is_wrong_in_one_line(
    root_key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert root_key
    person()
    with pytest.raises(CommandError, match="there is no epoch general 9"):
        call_command("rotate_keys", "destroy-epoch", "general", "9")
    with pytest.raises(CommandError, match="a time with its zone"):
        call_command("key_store_verified", "b", "--taken-at", "yesterday")
    with pytest.raises(CommandError, match="a time with its zone"):
        call_command("key_store_verified", "b", "--taken-at", "2026-13-01T00:00:00+00:00")

    call_command("rotate_keys", "root")
    call_command("rotate_keys", "epoch")
    call_command("rotate_keys", "data-keys", "organisation")
    call_command("key_store_verified", "b", "--taken-at", clock.real_now().isoformat())
    call_command("rotate_keys", "destroy-epoch", "general", "1")
    call_command("rotate_keys", "resume")
    call_command("rotate_keys", "status")

    written = capsys.readouterr().out
    assert "root general: " in written
    assert "epoch general 3: active" in written
    assert "root key_file:1: destroyed" in written
    assert "data keys of subject (data): 1 active" in written
    assert "destroy general: 1 of 1 done, finished" in written


@pytest.fixture
def own_root_key(fresh_tables: FreshDatabase, root_key: Path) -> Iterator[Path]:
    """Give a fresh database whose keys are under a root key of their own."""
    assert fresh_tables
    yield root_key
    connections.close_all()


def copied(fresh: FreshDatabase) -> Pair:
    """Copy both databases, as a backup does."""
    connections.close_all()
    return clone(fresh.installation, Pair(fresh.servers.main), f"{fresh.servers.main}_copy")


@pytest.mark.proof(
    "encryption: after an epoch is destroyed, an old copy of the keys database opens nothing"
)
def test_a_destroyed_epoch_leaves_old_copies_of_the_keys_database_dead(
    fresh_tables: FreshDatabase,
    own_root_key: Path,
    monkeypatch: pytest.MonkeyPatch,
    tried: Tried,
) -> None:
    rows = [person(name=f"N{number}") for number in range(20)]
    copy = copied(fresh_tables)
    try:
        assert read_by(copy, rows, monkeypatch) == [f"N{number}" for number in range(20)]  # control

        finish(*runs.start_root(by="test"))
        assert read_by(copy, rows, monkeypatch) == [f"N{number}" for number in range(20)]  # control
        verified()
        finish(runs.start_destruction(GENERAL, 1, by="test"))

        assert read_by(copy, rows, monkeypatch) == [Refused] * 20
        services.drop_keys()
        assert [Person.objects.get(pk=row.pk).name for row in rows] == [row.name for row in rows]
        assert len(own_root_key.read_text().splitlines()) == 1
        tried.case(len(rows))
    finally:
        connections.close_all()
        drop(fresh_tables.installation, copy)


def read_by(copy: Pair, rows: list[Person], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Read names with the keys of an old copy and the present root key file."""
    with keys_of(copy.keys, monkeypatch):
        return [outcome(row) for row in rows]


class keys_of:  # noqa: N801  reads as a sentence
    """Lets this process use another keys database."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._name = name
        self._patch = monkeypatch

    def __enter__(self) -> None:
        connections.close_all()
        services.drop_keys()
        for alias in ("keys", "keys_vault"):
            self._patch.setitem(connections[alias].settings_dict, "NAME", self._name)

    def __exit__(self, *_error: object) -> None:
        connections.close_all()
        self._patch.undo()
        services.drop_keys()


def outcome(row: Person) -> object:
    try:
        return Person.objects.get(pk=row.pk).name
    except Exception as error:  # noqa: BLE001  its type is what is compared
        return type(error)


@pytest.mark.proof(
    "encryption: a keys database restored old or cut short reads as lost, not erased"
)
def test_an_old_or_truncated_keys_database_never_reads_as_erasure(
    fresh_tables: FreshDatabase, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    early, erased = person(name="early"), person(name="erased")
    services.erase(services.Owner(services.OwnerKind.SUBJECT, erased.subject_id))
    copy = copied(fresh_tables)
    late = [person(name=f"late {number}") for number in range(10)]
    try:
        assert [outcome(row) for row in (early, erased)] == ["early", services.Erased]  # control
        assert [outcome(row) for row in late] == [row.name for row in late]  # control
        with keys_of(copy.keys, monkeypatch):
            assert [outcome(row) for row in late] == [KeyLost] * 10
            assert [outcome(row) for row in (early, erased)] == ["early", services.Erased]
        with fresh_tables.installation.postgres.connect(copy.keys) as connection:
            connection.execute("TRUNCATE encryption_datakey")
        with keys_of(copy.keys, monkeypatch):
            assert [outcome(row) for row in (early, *late)] == [KeyLost] * 11
        tried.case(21)
    finally:
        connections.close_all()
        drop(fresh_tables.installation, copy)
