"""Cases: values, pickles, migrations."""

import pickle
from typing import cast
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.migrations.state import ModelState, ProjectState
from django.test.utils import CaptureQueriesContext
from kombu.serialization import dumps as message_of

from encryption.errors import Tampered
from encryption.sealed import SealedMixin
from encryption.services import erase
from encryption.values import UNOPENED, Sealed
from tests.encryption.models import Manager, Person
from tests.encryption.rules.cases import CANARY, Given, case, read, refused
from tests.encryption.rules.cells import cell, forms_of, write_cell
from tests.encryption.rules.rules import Rule
from tests.factories.encryption import person, subject, unsaved_person


@case(Rule.READ_GIVES_SEALED)
def _(_given: Given) -> None:
    row = read(person(name=CANARY))
    value = row.__dict__["name"]

    assert isinstance(value, Sealed)
    assert value.value is UNOPENED
    assert f"{value}" == str(value) == repr(value) == "<Sealed>"
    assert CANARY.encode() not in value.ciphertext
    assert CANARY not in repr(unsaved_person(name=CANARY).__dict__)


@case(Rule.OPENS_ON_TOUCH)
def _(_given: Given) -> None:
    row = read(person(name=CANARY, note="ours"))

    assert row.name == CANARY

    assert row.__dict__["name"].value == CANARY
    assert row.__dict__["note"].value is UNOPENED


@case(Rule.NO_PLACEHOLDER)
def _(_given: Given) -> None:
    field = Person._meta.get_field("name")

    assert field.get_internal_type() == "BinaryField"
    assert models.BinaryField not in type(field).mro()
    assert not hasattr(field, "get_placeholder")
    with CaptureQueriesContext(connection) as found:
        Person.objects.bulk_create([unsaved_person() for _ in range(3)])
    assert any("UNNEST" in query["sql"] for query in found.captured_queries)


@case(Rule.NO_PLAINTEXT_IN_SQL)
def _(_given: Given) -> None:
    field = Person._meta.get_field("name")
    with refused(TypeError, "t.person.name"):
        field.get_db_prep_value(CANARY, connection)
    assert field.get_db_prep_value(None, connection) is None
    with CaptureQueriesContext(connection) as found:
        row = person(name=CANARY, note=CANARY)
        row.name = f"{CANARY}!"
        row.save()
        Person.objects.bulk_update([row], ["name", "note"])

    statements = " ".join(query["sql"] for query in found.captured_queries)
    assert not [form for form in (CANARY, *forms_of(CANARY.encode())) if form in statements]
    assert str(row.code) in statements  # control: a plain column is found


@case(Rule.OWNER_IS_COMPARED)
def _(_given: Given) -> None:
    row, other = person(name=CANARY), person()
    write_cell(Person, "subject_id", row.pk, other.subject_id)

    with refused(Tampered, "another owner", "t.person.name", str(row.pk)):
        _ = read(row).name

    write_cell(Person, "subject_id", row.pk, row.subject_id)
    assert read(row).name == CANARY  # control


@case(Rule.MOVE_TO_ORGANISATION)
def _(_given: Given) -> None:
    row = read(person(name=CANARY, note="ours"))
    before = cell(Person, "note", row.pk), cell(Person, "name", row.pk)
    row.organisation_id = uuid4()
    row.save()

    after = cell(Person, "note", row.pk), cell(Person, "name", row.pk)
    assert before[0][:9] != after[0][:9]  # another key
    assert before[1] == after[1]  # the person stays the owner
    assert (read(row).note, read(row).name) == ("ours", CANARY)


@case(Rule.MOVE_TO_SUBJECT)
def _(_given: Given) -> None:
    row = read(person(name=CANARY, note="ours"))
    old, before = row.subject_id, cell(Person, "name", row.pk)
    row.subject_id = uuid4()
    row.save()
    erase(subject(old))

    assert cell(Person, "name", row.pk)[:9] != before[:9]
    assert (read(row).note, read(row).name) == ("ours", CANARY)


@case(Rule.OWNERS_ARE_LOADED)
def _(_given: Given) -> None:
    person()

    for found in (
        Person.objects.only("code").get(),
        Person.objects.defer("id", "pk", "subject_id", "organisation_id").get(),
    ):
        assert not {"id", "subject_id", "organisation_id"} & found.get_deferred_fields()


@case(Rule.CLONE)
def _(_given: Given) -> None:
    row = read(person(name=CANARY, email=None, code=None))
    first = row.pk
    row.pk = None
    row.save()

    assert row.pk != first
    assert cell(Person, "name", row.pk) != cell(Person, "name", first)
    assert read(row).name == Person.objects.get(pk=first).name == CANARY


@case(Rule.EMPTY_AND_NONE)
def _(_given: Given) -> None:
    empty, none = person(note="", photo=b"", data={}), person(note=None, photo=None, data=None)

    assert [read(empty).note, read(empty).photo, read(empty).data] == ["", b"", {}]
    assert [read(none).note, read(none).photo, read(none).data] == [None, None, None]


@case(Rule.PICKLE_DROPS_PLAINTEXT)
def _(_given: Given) -> None:
    row = read(person(name=CANARY))
    assert row.name == CANARY

    pickled = pickle.dumps(row)

    assert CANARY.encode() not in pickled
    assert cell(Person, "name", row.pk) in pickled
    assert pickle.loads(pickled).name == CANARY  # noqa: S301


@case(Rule.PICKLE_SEALS)
def _(_given: Given) -> None:
    pickled = pickle.dumps(unsaved_person(name=CANARY))

    assert CANARY.encode() not in pickled
    assert pickle.loads(pickled).name == CANARY  # noqa: S301


@case(Rule.PICKLE_REFUSES)
def _(_given: Given) -> None:
    row = unsaved_person(name=CANARY, subject_id=None)

    with refused(ValueError, "no owner"):
        pickle.dumps(row)
    with refused(TypeError, "not sealed yet"):
        pickle.dumps(row.__dict__["name"])


@case(Rule.IDS_ONLY)
def _(_given: Given) -> None:
    (values,) = Person.objects.filter(pk=person(name=CANARY).pk).values("name")

    with refused(TypeError):
        SessionStore().encode(values)
    with pytest.raises(Exception, match="not JSON serializable"):
        message_of(values, "json")
    assert SessionStore().encode({"id": "1"})  # control


def historical() -> type[Person]:
    state = ProjectState()
    for model in (Person, Manager):
        state.add_model(ModelState.from_model(model))
    found = state.apps.get_model("encryption_tests", "Person")
    assert found is not Person
    return cast("type[Person]", found)


@case(Rule.MIXIN_STAYS)
def _(_given: Given) -> None:
    assert SealedMixin in ModelState.from_model(Person).bases
    assert issubclass(historical(), SealedMixin)


@case(Rule.MANAGER_IN_MIGRATIONS)
def _(_given: Given) -> None:
    names = [name for name, _ in ModelState.from_model(Person).managers]

    assert names == ["objects"]
    with refused(FieldError, "t.person.name"):
        historical()._default_manager.order_by("name")


@case(Rule.HISTORICAL_MODELS)
def _(_given: Given) -> None:
    old = historical()._default_manager
    row = person(name=CANARY, email="old@example.org")

    step = old.get(pk=row.pk)
    step.name, step.email = f"{step.name}!", "new@example.org"
    step.save()
    old.bulk_create([old.model(name="made", subject_id=uuid4(), organisation_id=uuid4())])
    (second,) = old.exclude(pk=row.pk)
    second.note = "bulk"
    old.bulk_update([second], ["note"])

    assert [found.pk for found in Person.objects.matching(email="new@example.org")] == [row.pk]
    assert read(row).name == f"{CANARY}!"
    assert (read(second).name, read(second).note) == ("made", "bulk")
