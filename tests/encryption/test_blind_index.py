"""Blind indexes: normal forms, look-alikes, collisions, the uniqueness race."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import pytest
from django.db import IntegrityError, connections

from encryption import blind_index, services
from encryption.key_tables import BlindIndexEntry, IndexKey
from encryption.normalisation import normalise_email, normalise_text
from tests.encryption.models import Person, Supplier
from tests.factories.encryption import person
from tests.proofs import Tried

if TYPE_CHECKING:
    from encryption.fields import AnySealedField

EMAIL = cast("AnySealedField", Person._meta.get_field("email"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ada@Example.org", "ada@example.ORG"),
        (" ada@example.org\n", "ada@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("\uff41da@example.org", "ada@example.org"),  # full-width a
        ("jose\u0301@example.org", "jos\u00e9@example.org"),
        ("STRASSE@example.org", "straße@example.org"),
    ],
)
def test_spellings_of_one_address_are_found(first: str, second: str) -> None:
    row = person(email=first)

    assert Person.objects.matching(email=second) == [row]


@pytest.mark.parametrize(
    "other",
    [
        "\u0430da@example.org",  # Cyrillic a
        "ada@example.org.evil",
        "ada@examp1e.org",
        "ad\u0430@example.org",  # the same at the end
        "ada\u200b@example.org",  # zero-width space
        "ada+x@example.org",
        "",
    ],
)
def test_look_alikes_are_other_people(other: str) -> None:
    person(email="ada@example.org")

    assert Person.objects.matching(email=other) == []


def test_odd_addresses_have_a_normal_form() -> None:
    assert normalise_email("no at sign") == b"no at sign"
    assert normalise_email(f"a@{'x' * 70}.example") == f"a@{'x' * 70}.example".encode()
    assert normalise_email("\ud800@example.org")
    assert normalise_text(" ÀB ") == "àb".encode()


def test_texts_and_other_kinds() -> None:
    name = Supplier._meta.get_field("name")

    assert name.normalise(" Ab") == b"ab"
    with pytest.raises(TypeError, match="cannot have a blind index"):
        Person._meta.get_field("born").normalise("x")


def test_the_digest_is_16_bytes_keyed_by_label() -> None:
    row = person(email="ada@example.org")
    entry = BlindIndexEntry.objects.get(row=row.pk)

    assert str(entry) == "t.person.email"
    assert len(bytes(entry.digest)) == 16
    assert bytes(entry.digest) == blind_index.digest(EMAIL, "ADA@example.org")
    assert blind_index.keys.key(b"another label") != blind_index.keys.key(EMAIL.label_part)


def test_a_truncated_collision_is_sorted_out_by_comparison() -> None:
    row, other = person(email="ada@example.org"), person(email="eve@example.org")
    BlindIndexEntry.objects.filter(row=other.pk).update(label="t.person.email.old")
    digest = BlindIndexEntry.objects.get(row=row.pk).digest
    BlindIndexEntry.objects.filter(row=row.pk).delete()
    BlindIndexEntry.objects.filter(row=other.pk).update(digest=digest, label="t.person.email")

    found = Person.objects.filter(services.lookup(Person, "email", "ada@example.org"))

    assert list(found) == [other]  # control: the index alone is fooled
    assert Person.objects.matching(email="ada@example.org") == []


def test_the_index_root_survives_a_restart_and_a_race() -> None:
    digest = blind_index.digest(EMAIL, "ada@example.org")
    services.drop_keys()

    assert blind_index.digest(EMAIL, "ada@example.org") == digest
    assert blind_index._make() == IndexKey.objects.get()
    assert str(IndexKey.objects.get()) == "index root 1"


@pytest.mark.proof("encryption: of writers racing with one unique value exactly one wins")
@pytest.mark.usefixtures("fresh_tables")
def test_of_writers_that_race_exactly_one_wins(tried: Tried) -> None:
    services.prepare()

    def register(_number: int) -> bool:
        try:
            person(email="ada@example.org")
        except IntegrityError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(register, range(24)))

    assert outcomes.count(True) == 1
    assert Person.objects.count() == BlindIndexEntry.objects.count() == 1
    # Control: values that differ do not stop each other.
    assert person(email="eve@example.org").pk
    tried.case()
