"""Data keys: life, capacity, counts, revocation, races."""

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import IntegrityError, connections
from pytest_django import DjangoAssertNumQueries

from encryption import wrapping
from encryption.epochs import KekRing, ring
from encryption.errors import Erased
from encryption.key_tables import DataKey, Revocation
from encryption.keyring import (
    LIFE_SECONDS,
    SEALS_LIMIT,
    SEALS_RESERVED,
    SEALS_WARNING,
    KeyHandle,
    Keyring,
)
from encryption.services import erase
from encryption.types import DATA, KeyState, Owner, OwnerKind
from tests.encryption.key_services import Clock
from tests.encryption.models import Person
from tests.factories.encryption import subject, unsaved_person
from tests.proofs import Tried
from tests.servers import FreshDatabase


@pytest.fixture
def clock() -> Clock:
    """Give seconds that the test moves."""
    return Clock()


@pytest.fixture
def keyring(clock: Clock) -> Keyring:
    """Give an empty keyring for few keys."""
    return Keyring(ring, clock, capacity=3)


def test_an_owner_has_one_key_per_purpose(keyring: Keyring) -> None:
    owner = subject()

    first = keyring.for_sealing(owner)

    assert keyring.for_sealing(owner) is first
    assert keyring.for_sealing(owner, "other").key_id != first.key_id
    assert keyring.for_sealing(subject()).key_id != first.key_id
    row = DataKey.objects.get(owner_id=owner.id, purpose=DATA)
    assert str(row) == "subject key"
    assert wrapping.id_bytes(row.pk) == first.key_id


def test_a_cached_key_lives_five_minutes_and_is_never_extended(
    keyring: Keyring, clock: Clock
) -> None:
    handle = keyring.for_sealing(subject())
    clock.seconds += LIFE_SECONDS - 1
    assert keyring.get(handle.key_id) is handle
    clock.seconds += 1

    again = keyring.get(handle.key_id)

    assert again is not handle
    assert again is not None
    assert again.raw == handle.raw


def test_the_least_used_key_is_dropped_first(keyring: Keyring) -> None:
    owners = [subject() for _ in range(4)]
    first, second, third = (keyring.for_sealing(owner) for owner in owners[:3])
    assert keyring.get(first.key_id) is first

    keyring.for_sealing(owners[3])

    assert keyring.get(first.key_id) is first
    assert keyring.get(third.key_id) is third
    assert keyring.get(second.key_id) is not second
    assert len(keyring._handles) == 3


def test_a_key_dropped_by_another_thread_is_read_again(keyring: Keyring) -> None:
    handle = keyring.for_sealing(subject())

    class Emptied(OrderedDict[bytes, KeyHandle]):
        def move_to_end(self, key: bytes, last: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002
            raise KeyError(key)

    keyring._handles = Emptied(keyring._handles)

    assert keyring._cached(handle.key_id) is None


def test_an_unknown_key_is_none(keyring: Keyring) -> None:
    assert keyring.get(b"12345678") is None


def test_seals_are_counted_in_batches_before_they_happen(keyring: Keyring) -> None:
    owner = subject()
    for _ in range(SEALS_RESERVED + 1):
        keyring.for_sealing(owner)

    assert DataKey.objects.get(owner_id=owner.id).seals == 2 * SEALS_RESERVED


def test_another_process_counts_its_own_batch(keyring: Keyring, clock: Clock) -> None:
    owner = subject()
    keyring.for_sealing(owner)

    Keyring(ring, clock).for_sealing(owner)

    assert DataKey.objects.get(owner_id=owner.id).seals == 2 * SEALS_RESERVED


def test_a_worn_key_is_replaced_and_still_opens(
    keyring: Keyring, caplog: pytest.LogCaptureFixture
) -> None:
    owner = subject()
    old = keyring.for_sealing(owner)
    old.spare = 0
    DataKey.objects.filter(owner_id=owner.id).update(seals=SEALS_WARNING)
    assert keyring.for_sealing(owner) is old
    assert "rotate it" in caplog.text
    old.spare = 0
    DataKey.objects.filter(owner_id=owner.id).update(seals=SEALS_LIMIT)

    new = keyring.for_sealing(owner)

    assert new.key_id != old.key_id
    found = keyring.get(old.key_id)
    assert found is not None
    assert found.raw == old.raw
    states = DataKey.objects.filter(owner_id=owner.id).values_list("state", flat=True)
    assert sorted(states) == [KeyState.ACTIVE, KeyState.RETIRED]


def test_a_key_destroyed_elsewhere_seals_no_more(keyring: Keyring) -> None:
    owner = subject()
    handle = keyring.for_sealing(owner)
    erase(owner)
    handle.spare = 0

    with pytest.raises(Erased):
        keyring.for_sealing(owner)


@pytest.mark.proof("encryption: a destroyed key is dropped at the next request of every process")
def test_destroyed_keys_are_dropped_at_the_next_request(keyring: Keyring, tried: Tried) -> None:
    owner, other = subject(), subject()
    handle, kept = keyring.for_sealing(owner), keyring.for_sealing(other)
    erase(owner)
    assert keyring.get(handle.key_id) is handle  # control: this process has not looked yet

    keyring.check_revocations()
    keyring.check_revocations()

    assert keyring.get(handle.key_id) is None
    assert keyring.get(kept.key_id) is kept
    assert str(Revocation.objects.get()) == str(Revocation.objects.get().number)
    tried.case(2)


def test_a_process_without_keys_asks_nothing(
    keyring: Keyring, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0, using="keys"):
        keyring.check_revocations()


def test_preloading_asks_once_for_what_is_missing(
    keyring: Keyring, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ids = [keyring.for_sealing(subject()).key_id for _ in range(3)]
    keyring.drop()
    keyring.get(ids[0])

    with django_assert_num_queries(1, using="keys"):
        keyring.preload(ids)
        keyring.preload(ids)


def test_a_broken_constraint_is_not_taken_for_a_race(
    keyring: Keyring, fresh_database: FreshDatabase
) -> None:
    keyring.for_sealing(subject())
    fresh_database.refuse_rows(DataKey)

    with pytest.raises(IntegrityError):
        keyring.for_sealing(subject())
    keyring.drop()


@pytest.mark.usefixtures("fresh_tables")
def test_processes_that_race_for_a_key_agree() -> None:
    owner = Owner(OwnerKind.ORGANISATION, uuid4())

    def seal(_number: int) -> bytes:
        try:
            return Keyring(KekRing()).for_sealing(owner).key_id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(seal, range(24)))

    assert len(ids) == 1
    assert DataKey.objects.filter(owner_id=owner.id).count() == 1


def test_keys_of_many_owners_are_found_and_made_in_few_statements(
    keyring: Keyring, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    owners = [subject() for _ in range(3)]
    old = keyring.for_sealing(owners[0]).key_id
    erase(owners[1])
    keyring.drop()
    keyring.get(old)

    with django_assert_max_num_queries(9, using="keys"):
        keyring.preload_owners(owners)

    assert keyring.for_sealing(owners[0]).key_id == old
    assert keyring.for_sealing(owners[2]).owner_id == owners[2].id
    assert DataKey.objects.filter(owner_id__in=[owner.id for owner in owners]).count() == 2
    with pytest.raises(Erased):
        keyring.for_sealing(owners[1])


def test_a_list_with_an_erased_owner_is_not_written() -> None:
    erased = subject()
    erase(erased)

    with pytest.raises(Erased):
        Person.objects.bulk_create([unsaved_person(), unsaved_person(subject_id=erased.id)])

    assert not Person.objects.exists()
