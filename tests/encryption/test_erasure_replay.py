"""Digests of erased owners that came back with restored data."""

from encryption import services
from encryption.key_tables import BlindIndexEntry
from tests.encryption.models import Person
from tests.factories.encryption import person, subject


def came_back(row: Person) -> None:
    """Erase a person and bring the digests back, as a restore of older data does."""
    entries = list(BlindIndexEntry.objects.filter(row=row.pk))
    services.erase(subject(row.subject_id))
    BlindIndexEntry.objects.bulk_create(entries)


def test_a_replay_deletes_the_digests_of_the_erased_alone() -> None:
    rows = [person() for _ in range(5)]
    for row in rows[:3]:
        came_back(row)

    first = services.replay_erasures(chunk_size=2)
    second = services.replay_erasures()

    assert (first.ledger, first.owners, first.digests) == (3, 3, 3)
    assert (second.ledger, second.owners, second.digests) == (3, 0, 0)
    left = BlindIndexEntry.objects.values_list("row", flat=True)
    assert set(left) == {row.pk for row in rows[3:]}


def test_an_epoch_lives_until_nothing_opens_it() -> None:
    assert services.present_epoch() == 0
    person()

    assert services.present_epoch() == services.earliest_living_epoch() == 1
