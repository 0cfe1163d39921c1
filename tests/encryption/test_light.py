"""Light rows: columns of a list without objects."""

from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from encryption.errors import Erased, Tampered
from encryption.key_tables import BlindIndexEntry
from encryption.light import LightRow, light_matches, light_rows, opened
from encryption.services import drop_keys, erase
from encryption.types import Owner, OwnerKind
from encryption.values import Sealed
from foundation.tenancy import ScopeMissing, organisation_scope
from tests.encryption.conftest import Recorded
from tests.encryption.models import Person
from tests.factories import encryption as make
from tests.factories import records
from workspace.records.models import RecordValue


def test_a_light_row_gives_what_an_object_gives() -> None:
    person = make.person(born=None, data={"a": [1]})

    ((code, name, data, born),) = _rows(person, "code", "name", "data", "born")

    assert code == person.code
    assert opened(Person, "name", name) == person.name
    assert opened(Person, "data", data) == {"a": [1]}
    assert opened(Person, "born", born) is None


def test_nothing_is_opened_before_it_is_asked_for() -> None:
    ((name,),) = _rows(make.person(), "name")

    assert repr(name) == "<Sealed>"


def test_the_keys_of_all_owners_are_loaded_in_one_query() -> None:
    people = [make.person() for _ in range(5)]
    drop_keys()
    rows = _rows(*people, "name", "note")

    with CaptureQueriesContext(connections["keys"]) as captured:
        names = [opened(Person, "name", name) for name, _note in rows]

    assert len(set(names)) == 5
    assert not captured.captured_queries


def test_a_value_of_another_row_is_refused(key_events: Recorded) -> None:
    first, second = make.person(), make.person()
    ((taken,),) = _rows(first, "name")
    ((given,),) = _rows(second, "name")
    assert isinstance(taken, Sealed)
    assert isinstance(given, Sealed)
    given.ciphertext = taken.ciphertext

    with pytest.raises(Tampered):
        opened(Person, "name", given)

    assert "encryption.value.tampered" in key_events.names


def test_a_value_of_another_owner_is_refused(key_events: Recorded) -> None:
    person = make.person()
    Person.objects.get_queryset()._unchecked().update(subject_id=uuid4())
    ((name,),) = _rows(person, "name")

    with pytest.raises(Tampered):
        opened(Person, "name", name)

    assert "encryption.value.tampered" in key_events.names


def test_an_erased_owner_is_told_from_a_lost_key() -> None:
    person = make.person()
    erase(Owner(OwnerKind.SUBJECT, person.subject_id))
    ((name, note),) = _rows(person, "name", "note")

    with pytest.raises(Erased):
        opened(Person, "name", name)

    assert opened(Person, "note", note) == person.note


def test_a_scoped_model_gives_rows_of_the_open_organisation_only() -> None:
    saved = records.record(records.member(records.organisation()))
    other = records.member(records.organisation())

    with organisation_scope(records.organisation_of(other)):
        rows = light_rows(RecordValue, "field", column="record_id", among=[saved.id])

    assert rows == []
    with pytest.raises(ScopeMissing):
        light_rows(RecordValue, "field", column="record_id", among=[saved.id])


def test_a_value_is_found_by_its_blind_index_and_compared() -> None:
    ada, _other = make.person(email="ada@example.org"), make.person(email="eve@example.org")

    assert light_matches(Person, "code", email="ADA@example.org") == [(ada.code,)]
    assert light_matches(Person, "code", email="nobody@example.org") == []
    ((email,),) = light_matches(Person, "email", email="ada@example.org")
    assert opened(Person, "email", email) == "ada@example.org"
    with pytest.raises(TypeError):
        light_matches(Person, "code", name="Ada")


def test_a_row_that_only_shares_the_digest_is_left_out() -> None:
    ada, eve = make.person(email="ada@example.org"), make.person(email="eve@example.org")
    shared = BlindIndexEntry.objects.get(row=ada.pk)
    shared.delete()
    BlindIndexEntry.objects.filter(row=eve.pk).update(digest=shared.digest)

    assert light_matches(Person, "code", email="ada@example.org") == []


def _rows(*given: Person | str) -> list[LightRow]:
    people = [person.pk for person in given if isinstance(person, Person)]
    names = [name for name in given if isinstance(name, str)]
    return light_rows(Person, *names, column="id", among=people)
