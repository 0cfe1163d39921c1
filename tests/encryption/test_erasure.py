"""Erasing an owner (encryption.md 10)."""

import psycopg
import pytest
from django.db import connections, transaction

from encryption import services
from encryption.errors import Erased
from encryption.key_tables import BlindIndexEntry, DataKey, ErasureLedgerEntry, ReplayLedgerEntry
from encryption.types import NO_OWNER, Owner, OwnerKind, ReplayKind
from tests.encryption.conftest import Recorded
from tests.encryption.models import Person
from tests.factories.encryption import person, subject
from tests.proofs import Tried
from tests.servers import FreshDatabase


@pytest.mark.proof("encryption: erasing an owner leaves its values unreadable and others readable")
def test_erasing_destroys_keys_and_digests_of_one_owner(key_events: Recorded, tried: Tried) -> None:
    gone, kept = person(name="Ada", note="ours"), person(name="Eve")
    assert Person.objects.get(pk=gone.pk).name == "Ada"  # control

    services.erase(subject(gone.subject_id))

    read = Person.objects.get(pk=gone.pk)
    with pytest.raises(Erased):
        _ = read.name
    assert read.note == "ours"
    assert Person.objects.get(pk=kept.pk).name == "Eve"
    assert not DataKey.objects.filter(owner_id=gone.subject_id).exists()
    assert list(BlindIndexEntry.objects.values_list("row", flat=True)) == [kept.pk]
    assert key_events.names[-1] == "encryption.owner.erased"
    assert str(gone.subject_id) not in str(key_events.events)
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT * FROM {Person._meta.db_table}")  # noqa: S608
        assert cursor.rowcount == 2
    tried.case(2)


def test_erasing_twice_is_harmless() -> None:
    owner = subject(person().subject_id)

    services.erase(owner)
    services.erase(owner)

    assert ErasureLedgerEntry.objects.count() == 1
    assert str(ErasureLedgerEntry.objects.get()).startswith("subject ")


def test_the_ledger_holds_a_digest_and_no_id() -> None:
    owner = subject(person().subject_id)
    services.erase(owner)

    entry = ErasureLedgerEntry.objects.get()

    assert len(bytes(entry.owner_digest)) == 32
    assert owner.id.bytes not in bytes(entry.owner_digest)


def test_an_erased_person_cannot_be_sealed_for_again() -> None:
    row = person(name="Ada")
    services.erase(subject(row.subject_id))
    services.drop_keys()

    with pytest.raises(Erased):
        person(subject_id=row.subject_id)
    row = Person.objects.get(pk=row.pk)
    row.code = "new"
    row.save(update_fields=["code"])
    assert Person.objects.get(pk=row.pk).code == "new"


def test_an_owner_without_keys_can_be_erased() -> None:
    owner = subject()

    services.erase(owner)

    assert services.was_erased(owner)
    assert not services.was_erased(subject())


def test_keys_of_a_purpose_are_not_erased() -> None:
    services.mac("audit", b"x")

    with pytest.raises(ValueError, match="purpose"):
        services.erase(Owner(OwnerKind.PURPOSE, NO_OWNER))
    assert DataKey.objects.exists()


def test_other_kinds_with_the_same_id_are_kept() -> None:
    row = person(name="Ada")
    services.erase(Owner(OwnerKind.ORGANISATION, row.subject_id))

    assert Person.objects.get(pk=row.pk).name == "Ada"


def test_the_destruction_is_announced(fresh_tables: FreshDatabase) -> None:
    row = person(name="Ada")
    with psycopg.connect(
        fresh_tables.environment["KEYS_DATABASE_URL"], autocommit=True
    ) as listener:
        listener.execute("LISTEN gatehouse_revocation")

        services.erase(subject(row.subject_id))

        assert [note.channel for note in listener.notifies(timeout=5, stop_after=1)] == [
            "gatehouse_revocation"
        ]


@pytest.mark.usefixtures("fresh_tables")
def test_keys_are_gone_even_if_the_caller_rolls_back() -> None:
    row = person(name="Ada")

    with transaction.atomic():
        services.erase(subject(row.subject_id))
        transaction.set_rollback(True)

    with pytest.raises(Erased):
        _ = Person.objects.get(pk=row.pk).name


def test_the_replay_ledger_describes_itself() -> None:
    services.remember(ReplayKind.RESTRICTED, bytes(32))

    assert str(ReplayLedgerEntry.objects.get()).startswith("restricted ")
