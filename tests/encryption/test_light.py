"""Light rows: columns of a list without objects."""

from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from encryption.errors import Erased, Tampered
from encryption.light import light_rows, opened
from encryption.services import drop_keys, erase
from encryption.types import Owner, OwnerKind
from encryption.values import Sealed
from tests.encryption.conftest import Recorded
from tests.encryption.models import Person
from tests.factories import encryption as make


def test_a_light_row_gives_what_an_object_gives() -> None:
    person = make.person(born=None, data={"a": [1]})

    ((code, name, data, born),) = light_rows(Person.objects.all(), "code", "name", "data", "born")

    assert code == person.code
    assert opened(Person, "name", name) == person.name
    assert opened(Person, "data", data) == {"a": [1]}
    assert opened(Person, "born", born) is None


def test_nothing_is_opened_before_it_is_asked_for() -> None:
    make.person()

    ((name,),) = light_rows(Person.objects.all(), "name")

    assert repr(name) == "<Sealed>"


def test_the_keys_of_all_owners_are_loaded_in_one_query() -> None:
    for _ in range(5):
        make.person()
    drop_keys()
    rows = light_rows(Person.objects.all(), "name", "note")

    with CaptureQueriesContext(connections["keys"]) as captured:
        names = [opened(Person, "name", name) for name, _note in rows]

    assert len(set(names)) == 5
    assert not captured.captured_queries


def test_a_value_of_another_row_is_refused(key_events: Recorded) -> None:
    make.person()
    make.person()
    rows = light_rows(Person.objects.order_by("pk"), "name")
    (taken,), (given,) = rows
    assert isinstance(taken, Sealed)
    assert isinstance(given, Sealed)
    given.ciphertext = taken.ciphertext

    with pytest.raises(Tampered):
        opened(Person, "name", given)

    assert "encryption.value.tampered" in key_events.names


def test_a_value_of_another_owner_is_refused(key_events: Recorded) -> None:
    person = make.person()
    Person.objects.get_queryset()._unchecked().update(subject_id=uuid4())
    ((name,),) = light_rows(Person.objects.filter(pk=person.pk), "name")

    with pytest.raises(Tampered):
        opened(Person, "name", name)

    assert "encryption.value.tampered" in key_events.names


def test_an_erased_owner_is_told_from_a_lost_key() -> None:
    person = make.person()
    erase(Owner(OwnerKind.SUBJECT, person.subject_id))
    ((name, note),) = light_rows(Person.objects.all(), "name", "note")

    with pytest.raises(Erased):
        opened(Person, "name", name)

    assert opened(Person, "note", note) == person.note
