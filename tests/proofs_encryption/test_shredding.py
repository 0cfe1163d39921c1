"""Crypto-shredding on real dumps: who was erased stays so, whichever copies are put together."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import call_command

from accounts.models import User
from encryption import services
from encryption.errors import Erased, KeyLost, Refused
from encryption.key_tables import BlindIndexEntry, KekEpoch
from encryption.rotation import runs
from encryption.rotation.destruction import verify_backup
from encryption.types import GENERAL, VAULT
from privacy.models import ErasurePlan
from privacy.models.erasure import PlanState
from privacy.services import completions, receipts
from tests.encryption.models import Person
from tests.encryption.rotation.independent import key_store
from tests.encryption.rotation.rotating import finish
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories.encryption import person as indexed
from tests.privacy.planting import found_in
from tests.proofs import Tried
from tests.proofs_encryption.backups import Backups

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OTHERS = 12
LABEL = "accounts.user.display_name"
SHREDDED = "encryption: erased, data of the day before, current key store: unreadable; others read"
DEAD = "encryption: epoch destroyed: a key store of the day before opens nothing; others read"


@dataclass(frozen=True, slots=True)
class World:
    """People, each with an account and a row whose address is in a blind index.

    Attributes:
        gone: who will be erased.
        others: all others.
        names: by account, as they were written.
    """

    gone: User
    others: tuple[User, ...]
    names: Mapping[UUID, str]

    @property
    def everybody(self) -> tuple[User, ...]:
        """All accounts."""
        return (self.gone, *self.others)


@pytest.fixture
def world(backups: Backups) -> World:
    assert backups
    services.prepare()
    home = people.organisation()
    users = [people.member(home, name=f"Nina Nowak {number}") for number in range(OTHERS + 1)]
    for user in users:
        indexed(subject_id=user.subject_id, name=user.display_name, email=user.email)
    return World(users[0], tuple(users[1:]), {user.pk: str(user.display_name) for user in users})


@pytest.mark.proof(SHREDDED)
def test_who_was_erased_stays_so_when_the_data_of_the_day_before_is_restored(
    backups: Backups, world: World, tried: Tried
) -> None:
    day_1 = backups.take("day1")
    plan = make.erased(world.gone)
    file = receipts.file_of(plan.receipt)

    data = backups.restore_data(day_1, "day1")
    sealed = _sealed(backups, data)
    assert sealed[world.gone.pk], "the control: the value itself came back with the data"
    with backups.using(data=data):
        assert _read(world.gone) == [Erased, Erased]
        _others_read(world, tried)
        assert _sealed(backups, data) == sealed, "byte by byte as before"
        assert _digests(world.gone) == 1, "the control: its digest came back too"
        before = _hits(backups, data, world)
        call_command("replay_erasures")
        again = services.replay_erasures()
        assert _digests(world.gone) == 0
        assert again.digests == 0
        assert [_digests(user) for user in world.others] == [1] * OTHERS
        assert User.objects.get(pk=world.gone.pk).display_name is None
        assert Person.objects.get(subject_id=world.gone.subject_id).pk
        _others_read(world, tried)
        found = [len(Person.objects.matching(email=user.email)) for user in world.others]
        assert found == [1] * OTHERS

    live, replayed = (_hits(backups, name, world) for name in (backups.servers.main, data))
    assert before > live, "the control: the address stood in the restored data"
    assert replayed <= live, "a replay leaves no more than the erasure did"
    dates = _verified(file)
    assert dates["unreadable_in_live_system_at"]
    assert dates["unreadable_in_every_copy_at"] is None
    tried.case(6)
    tried.figure(f"1 erased, {OTHERS} others read from {data.rpartition('_')[2]}'s dump")


@pytest.mark.proof(DEAD)
def test_after_the_epoch_is_destroyed_a_key_store_of_the_day_before_is_dead(
    backups: Backups, world: World, root_key: Path, tried: Tried
) -> None:
    day_1 = backups.take("day1")
    plan = make.erased(world.gone)
    first = receipts.file_of(plan.receipt)
    data, keys = backups.restore_data(day_1, "day1"), backups.restore_keys(day_1, "keys1")
    sealed = _sealed(backups, data)
    _day_before_opens_all(backups, world, data=data, keys=keys)
    assert _opened_independently(backups, keys, root_key, sealed, world) == OTHERS + 1

    started = runs.start_root(by="test")
    finish(*started)
    _day_before_opens_all(backups, world, data=data, keys=keys)  # new keys alone end nothing
    _verify_key_store(backups, world, tried)
    completions.sweep()
    assert _plan(plan).state == PlanState.ERASED_LIVE, "the control: the second date is withheld"

    purposes = {run.purpose for run in started}
    assert purposes == {GENERAL, VAULT}
    finish(*(runs.start_destruction(purpose, 1, by="test") for purpose in sorted(purposes)))
    completions.sweep()

    with backups.using(data=data, keys=keys):
        outcomes = [outcome for user in world.everybody for outcome in _read(user)]
    assert outcomes == [Refused] * len(outcomes)
    assert _opened_independently(backups, keys, root_key, sealed, world) == 0
    tried.case(len(outcomes) + len(sealed))
    with backups.using(data=data):
        assert _read(world.gone) == [Erased, Erased]
        _others_read(world, tried)
    services.drop_keys()
    _others_read(world, tried)
    _both_dates(plan, first)
    tried.figure(
        f"{len(outcomes)} values of {OTHERS + 1} people: all opened by the key store of the day "
        f"before, none after; epochs {sorted(map(str, KekEpoch.objects.all()))}"
    )


def _day_before_opens_all(backups: Backups, world: World, *, data: str, keys: str) -> None:
    """The danger that only the destruction of the epoch ends: old data beside the old key store."""
    with backups.using(data=data, keys=keys):
        for user in world.everybody:
            assert _read(user) == [world.names[user.pk]] * 2


def _verify_key_store(backups: Backups, world: World, tried: Tried) -> None:
    """Back up the key store of now, restore it, open keys with it, and note that."""
    fresh = backups.take("day2")
    with backups.using(keys=backups.restore_keys(fresh, "keys2")):
        _others_read(world, tried)
    verify_backup("day 2", taken_at=fresh.taken_at)


def _both_dates(plan: ErasurePlan, first: bytes) -> None:
    """The receipt fetched before and the one of now are valid, and only the latter says all."""
    done = _plan(plan)
    assert done.state == PlanState.COMPLETE
    assert done.completed_at is not None
    before, after = _verified(first), _verified(receipts.file_of(done.receipt))
    assert before["unreadable_in_every_copy_at"] is None
    assert after["unreadable_in_live_system_at"] == before["unreadable_in_live_system_at"]
    assert after["unreadable_in_every_copy_at"] == done.completed_at.isoformat()


def _read(user: User) -> list[object]:
    """Return the values that a person owns, or the kinds of the errors in their place."""
    return [_of_account(user), _of_row(user)]


def _of_account(user: User) -> object:
    try:
        return User.objects.get(pk=user.pk).display_name
    except (Erased, KeyLost, Refused) as error:
        return type(error)


def _of_row(user: User) -> object:
    try:
        return Person.objects.get(subject_id=user.subject_id).name
    except (Erased, KeyLost, Refused) as error:
        return type(error)


def _others_read(world: World, tried: Tried) -> None:
    for user in world.others:
        assert _read(user) == [world.names[user.pk]] * 2
        tried.case()


def _digests(user: User) -> int:
    return BlindIndexEntry.objects.filter(owner=user.subject_id).count()


def _sealed(backups: Backups, database: str) -> dict[UUID, bytes]:
    """Return the sealed names of all accounts, outside the product's code."""
    with backups.connect(database) as connection:
        rows = connection.execute(
            "SELECT id, display_name FROM accounts_user WHERE display_name IS NOT NULL"
        ).fetchall()
    return {UUID(str(row)): bytes(value) for row, value in rows if isinstance(value, bytes)}


def _hits(backups: Backups, database: str, world: World) -> set[tuple[str, str]]:
    """Search all rows for the address of the erased person; return where it stands."""
    with backups.connect(database) as connection:
        return found_in(connection, {"address": world.gone.email})


def _opened_independently(
    backups: Backups, keys: str, root_key: Path, sealed: Mapping[UUID, bytes], world: World
) -> int:
    """Count the names that another implementation opens with a key store and the root key file."""
    with backups.connect(keys) as connection:
        try:
            store = key_store(connection, root_key)
        except KeyError:  # the root version is not in the file
            return 0
    opened = {row: store.open(value, LABEL, row).decode() for row, value in sealed.items()}
    return sum(opened[row] == name for row, name in world.names.items())


def _plan(plan: ErasurePlan) -> ErasurePlan:
    return ErasurePlan.objects.select_related("receipt").get(pk=plan.pk)


def _verified(file: bytes) -> dict[str, object]:
    """Check a receipt by the file alone; return what it says."""
    content = json.loads(file)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(content["public_key"]))
    key.verify(bytes.fromhex(content["signature"]), content["body"].encode())
    return dict(json.loads(content["body"]))
