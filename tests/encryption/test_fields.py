"""Sealed fields: values, attacks on stored cells, and what never happens in clear."""

import copy
import json
import pickle
import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from django.forms.models import model_to_dict, modelform_factory
from pytest_django import DjangoAssertNumQueries

from encryption import envelope
from encryption.errors import Erased, KeyLost, Tampered, Unreadable
from encryption.fields import SealedAttribute, SealedField
from encryption.key_tables import DataKey
from encryption.keyring import keyring
from encryption.sealed import stored
from encryption.services import drop_keys, erase
from encryption.types import OwnerKind
from encryption.values import Sealed
from foundation.errors import Invalid
from tests.encryption.conftest import Recorded
from tests.encryption.models import Manager, Person, PersonAlias, Supplier
from tests.factories.encryption import person, subject, unsaved_person
from tests.proofs import Tried


def cell(table: str, column: str, pk: UUID) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [pk])  # noqa: S608
        return bytes(cursor.fetchone()[0])


def write_cell(table: str, column: str, pk: UUID, value: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, pk])  # noqa: S608


def test_every_kind_of_value_comes_back_from_the_database() -> None:
    values = {
        "name": "Zoë 😀\x00",
        "note": "",
        "data": {"a": [1, None, "x"], "b": True},
        "born": date(1970, 2, 3),
        "balance": Decimal("12.50"),
        "photo": b"\x00\xff",
    }
    saved = person(**values)

    read = Person.objects.get(pk=saved.pk)

    for name, value in values.items():
        assert isinstance(read.__dict__[name], Sealed)
        assert getattr(read, name) == value


def test_empty_text_and_none_stay_distinct() -> None:
    empty, none = person(note=""), person(note=None)

    assert Person.objects.get(pk=empty.pk).note == ""
    assert Person.objects.get(pk=none.pk).note is None


def test_a_text_of_one_mebibyte_comes_back() -> None:
    text = "ż" * 524_288
    saved = person(name=text)

    assert Person.objects.get(pk=saved.pk).name == text


def test_a_lone_surrogate_is_refused_before_anything_is_written() -> None:
    with pytest.raises(Invalid) as caught:
        person(name="\ud800")

    assert caught.value.reason_code == "encryption.not_unicode"
    assert "\ud800" not in str(caught.value)
    assert Person.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("name", F("code")),
        ("data", object()),
        ("born", "1970-01-01"),
        ("born", datetime(1970, 1, 1, tzinfo=UTC)),
        ("balance", 1.5),
        ("photo", "text"),
    ],
)
def test_values_of_another_type_are_refused(field: str, value: object) -> None:
    with pytest.raises(TypeError):
        person(**{field: value})


@pytest.mark.parametrize(("field", "value"), [("balance", Decimal("NaN")), ("data", float("inf"))])
def test_numbers_that_are_none_are_refused(field: str, value: object) -> None:
    with pytest.raises(Invalid):
        person(**{field: value})


def test_a_value_without_owner_is_refused() -> None:
    with pytest.raises(ValueError, match="set subject_id first"):
        person(subject_id=None)


def test_owner_and_key_may_be_given_as_text() -> None:
    key, subject_id = uuid4(), uuid4()
    person(id=str(key), subject_id=str(subject_id), name="Ada")

    assert Person.objects.get(pk=key).name == "Ada"


def test_a_row_without_key_cannot_seal() -> None:
    row = unsaved_person(id=None)

    with pytest.raises(ValueError, match="no key yet"):
        Person._meta.get_field("name").pre_save(row, add=True)


@pytest.mark.proof("encryption: a cell moved to another row is refused")
def test_a_value_copied_to_another_row_of_the_same_owner_is_refused(
    key_events: Recorded, tried: Tried
) -> None:
    owner = uuid4()
    mine, other = person(subject_id=owner, name="Ada"), person(subject_id=owner, name="Eve")
    table = Person._meta.db_table
    write_cell(table, "name", other.pk, cell(table, "name", mine.pk))

    with pytest.raises(Tampered) as caught:
        _ = Person.objects.get(pk=other.pk).name

    assert caught.value.reason_code == "encryption.tampered"
    assert key_events.names.count("encryption.value.tampered") == 1
    # Control: the same bytes open once the check of the row is left out.
    stolen = Person.objects.get(pk=other.pk)
    stored_value = stored(stolen, "name")
    assert stored_value is not None
    assert stored_value.row is not None
    stored_value.row.key = mine.pk.bytes
    assert stolen.name == "Ada"
    tried.case()


@pytest.mark.proof("encryption: a cell moved to another column or table is refused")
def test_a_value_copied_to_another_column_or_table_is_refused(tried: Tried) -> None:
    owner, key = uuid4(), uuid4()
    row = person(id=key, subject_id=owner, name="Ada")
    supplier = Supplier.objects.create(id=key, subject_id=owner, name="Firm")
    table = Person._meta.db_table
    stolen = cell(table, "name", key)
    write_cell(table, "email", row.pk, stolen)
    write_cell(Supplier._meta.db_table, "name", supplier.pk, stolen)

    with pytest.raises(Tampered):
        _ = Person.objects.get(pk=key).email
    with pytest.raises(Tampered):
        _ = Supplier.objects.get(pk=key).name

    # Control: with the label of the column it came from, the same bytes open.
    read = Supplier.objects.get(pk=key)
    value = stored(read, "name")
    assert value is not None
    value.label = envelope.label_part("t.person.name")
    assert read.name == "Ada"
    tried.case(2)


@pytest.mark.proof("encryption: a row given to another owner is refused")
def test_a_row_pointed_to_another_owner_is_refused(tried: Tried) -> None:
    row = person(name="Ada", note="ours")
    table = Person._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET subject_id = %s, organisation_id = %s WHERE id = %s",  # noqa: S608
            [uuid4(), uuid4(), row.pk],
        )

    read = Person.objects.get(pk=row.pk)
    for name in ("name", "note"):
        with pytest.raises(Tampered, match="another owner"):
            getattr(read, name)
        tried.case()

    # Control: with the owner it was sealed for, the same bytes open.
    value = stored(read, "name")
    assert value is not None
    assert value.row is not None
    value.row.owners["subject_id"] = row.subject_id
    assert read.name == "Ada"


def test_plaintext_in_the_column_is_refused() -> None:
    row = person(name="Ada")
    for planted in (b"", b"Ada", b"A" * 200, b"\x01" + b"A" * 60):
        write_cell(Person._meta.db_table, "name", row.pk, planted)

        with pytest.raises((Tampered, KeyLost)):
            _ = Person.objects.get(pk=row.pk).name


def test_a_key_row_pointed_to_another_owner_is_refused() -> None:
    row, thief = person(name="Ada"), uuid4()
    DataKey.objects.filter(owner_id=row.subject_id).update(owner_id=thief)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Person._meta.db_table} SET subject_id = %s", [thief])  # noqa: S608
    drop_keys()

    with pytest.raises(Tampered, match="key in the keys database"):
        _ = Person.objects.get(pk=row.pk).name


def test_a_key_row_with_another_blob_is_refused() -> None:
    row = person(name="Ada")
    DataKey.objects.filter(owner_id=row.subject_id).update(blob=b"\x02" + bytes(60))
    drop_keys()

    with pytest.raises(Tampered, match="unknown format"):
        _ = Person.objects.get(pk=row.pk).name


def test_an_unknown_key_id_is_lost_and_never_erased(key_events: Recorded) -> None:
    row = person(name="Ada")
    table = Person._meta.db_table
    value = cell(table, "name", row.pk)
    write_cell(table, "name", row.pk, value[:1] + b"unknown!" + value[9:])

    with pytest.raises(KeyLost):
        _ = Person.objects.get(pk=row.pk).name

    assert key_events.names[-1] == "encryption.key.lost"


def test_a_value_of_an_erased_owner_is_erased() -> None:
    row = person(name="Ada", note="ours")
    erase(subject(row.subject_id))

    read = Person.objects.get(pk=row.pk)

    with pytest.raises(Erased):
        _ = read.name
    assert read.note == "ours"


def test_a_truncated_keys_database_is_lost_and_never_erased() -> None:
    row = person(name="Ada")
    DataKey.objects.all().delete()
    drop_keys()

    with pytest.raises(KeyLost):
        _ = Person.objects.get(pk=row.pk).name


def test_no_statement_holds_plaintext(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    canary = "canary-4711"
    with django_assert_num_queries(11, using="default") as found:
        row = person(name=canary, email=f"{canary}@example.org", data={"x": canary})
        row.name = f"{canary}!"
        row.save()
        Person.objects.bulk_create([unsaved_person(name=canary)])

    statements = " ".join(query["sql"] for query in found.captured_queries)
    assert canary not in statements
    assert canary.encode().hex() not in statements
    assert str(row.code) in statements  # control: a plain column of the same rows is found


def test_values_print_as_sealed() -> None:
    row = person(name="Ada")

    read = Person.objects.get(pk=row.pk)
    value = stored(read, "name")

    assert repr(value) == str(value) == f"{value}" == "<Sealed>"
    assert "Ada" not in repr(read.__dict__)


def test_a_traceback_does_not_show_plaintext() -> None:
    row = unsaved_person(name="Ada-4711", subject_id=None)

    try:
        row.save()
    except ValueError as error:
        shown = "".join(traceback.format_exception(error))
    assert "Ada-4711" not in shown


def test_an_assigned_value_reads_back_before_and_after_save() -> None:
    row = person(name="Ada")
    row.name = "Eve"

    assert row.name == "Eve"
    row.save()
    assert row.name == "Eve"
    assert Person.objects.get(pk=row.pk).name == "Eve"


def test_saving_without_a_change_writes_the_same_bytes() -> None:
    row = Person.objects.get(pk=person(name="Ada", data={"a": 1}).pk)
    before = (
        cell(Person._meta.db_table, "name", row.pk),
        cell(Person._meta.db_table, "data", row.pk),
    )
    row.full_clean(exclude=["boss"])
    assert row.data == {"a": 1}

    row.save()

    after = cell(Person._meta.db_table, "name", row.pk), cell(Person._meta.db_table, "data", row.pk)
    assert before == after


def test_a_change_inside_json_is_noticed() -> None:
    row = Person.objects.get(pk=person(data={"a": 1}).pk)
    assert row.data is not None
    row.data["a"] = 2

    row.save()

    assert Person.objects.get(pk=row.pk).data == {"a": 2}


def test_the_mail_address_is_validated() -> None:
    row = unsaved_person(email="no address")

    with pytest.raises(ValidationError):
        row.full_clean()


@pytest.mark.usefixtures("findable_models")
def test_pickles_hold_no_plaintext_and_open_again() -> None:
    saved = Person.objects.get(pk=person(name="Ada-4711", data={"k": "Ada-4711"}).pk)
    assert saved.name == "Ada-4711"
    unsaved = unsaved_person(name="Ada-4711")

    for row in (saved, unsaved, copy.copy(saved)):
        pickled = pickle.dumps(row)

        assert b"Ada-4711" not in pickled
        assert pickle.loads(pickled).name == "Ada-4711"  # noqa: S301


def test_pickling_a_value_that_cannot_be_sealed_raises() -> None:
    with pytest.raises(ValueError, match="no owner"):
        pickle.dumps(unsaved_person(subject_id=None))


def test_a_clone_is_sealed_for_its_own_row() -> None:
    row = Person.objects.get(pk=person(name="Ada", email=None, code=None).pk)
    first = cell(Person._meta.db_table, "name", row.pk)
    old = row.pk
    row.pk = None
    row.save()

    assert row.pk != old
    assert cell(Person._meta.db_table, "name", row.pk) != first
    assert Person.objects.get(pk=row.pk).name == "Ada"
    assert Person.objects.get(pk=old).name == "Ada"


@pytest.mark.parametrize("update_fields", [None, ["subject_id"], ["code", "organisation_id"]])
def test_a_change_of_owner_seals_anew_touched_or_not(update_fields: list[str] | None) -> None:
    row = Person.objects.get(pk=person(name="Ada", note="ours").pk)
    row.subject_id, row.organisation_id = uuid4(), uuid4()
    if update_fields == ["subject_id"]:
        row.organisation_id = Person.objects.get(pk=row.pk).organisation_id
    if update_fields == ["code", "organisation_id"]:
        row.subject_id = Person.objects.get(pk=row.pk).subject_id

    row.save(update_fields=update_fields)

    read = Person.objects.get(pk=row.pk)
    assert (read.name, read.note) == ("Ada", "ours")


def test_a_change_of_owner_seals_deferred_fields_too() -> None:
    row = Person.objects.defer("name", "subject_id", "id").get(pk=person(name="Ada").pk)
    row.subject_id = uuid4()

    row.save()

    read = Person.objects.get(pk=row.pk)
    assert read.subject_id == row.subject_id
    assert read.name == "Ada"


def test_touching_a_deferred_value_keeps_a_new_owner() -> None:
    row = Person.objects.defer("name").get(pk=person(name="Ada").pk)
    new = row.subject_id = uuid4()

    assert row.name == "Ada"
    assert row.subject_id == new
    row.refresh_from_db(fields=["subject_id"])
    assert row.subject_id != new


def test_a_deferred_value_is_loaded_and_opened() -> None:
    row = Person.objects.only("code").get(pk=person(name="Ada").pk)

    assert row.get_deferred_fields() >= {"name"}
    assert row.name == "Ada"


def test_refreshing_reads_the_stored_value() -> None:
    row = person(name="Ada")
    Person.objects.filter(pk=row.pk).update(note=None)
    row.name = "Eve"

    row.refresh_from_db()

    assert row.name == "Ada"
    assert stored(row, "note") is None
    assert stored(row, "name") is not None
    row.refresh_from_db(using="default", fields=["name"], from_queryset=Person.objects.all())
    row.refresh_from_db(fields=["name"], from_queryset=Person._base_manager.all())
    assert row.name == "Ada"


def test_the_key_of_a_row_never_changes() -> None:
    row = person()

    with pytest.raises(Exception, match="never changes"):
        write_key(row)


def write_key(row: Person) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Person._meta.db_table} SET id = %s WHERE id = %s",  # noqa: S608
                       [uuid4(), row.pk])  # fmt: skip


def test_inherited_and_proxied_rows_open() -> None:
    row = Manager(name="Ada", title="Head")
    row.save()

    read = Manager.objects.get(pk=row.pk)
    assert isinstance(read, Manager)

    assert (read.name, read.title) == ("Ada", "Head")
    assert Person.objects.get(pk=row.pk).name == "Ada"
    assert PersonAlias.objects.get(pk=row.pk).name == "Ada"


def test_raw_queries_open_even_without_the_owner_column() -> None:
    row = person(name="Ada")
    table = Person._meta.db_table

    for columns in ("*", "id, name"):
        (read,) = Person.objects.raw(f"SELECT {columns} FROM {table} WHERE id = %s", [row.pk])  # noqa: S608
        assert read.name == "Ada"


def test_values_are_sealed_and_cannot_be_opened() -> None:
    row = person(name="Ada")
    (found,) = Person.objects.filter(pk=row.pk).values("name")
    ((listed,),) = Person.objects.filter(pk=row.pk).values_list("name")

    assert repr(found["name"]) == repr(listed) == "<Sealed>"
    with pytest.raises(Unreadable):
        Person._meta.get_field("name").open(listed, row)


def test_serialisers_and_forms_refuse_or_pass_over_sealed_values() -> None:
    row = person(name="Ada")
    form = modelform_factory(Person, fields=["code"])

    with pytest.raises(TypeError, match="not serialised"):
        serializers.serialize("json", [row])
    assert "name" not in model_to_dict(row)
    assert set(form.base_fields) == {"code"}
    with pytest.raises(TypeError):
        json.dumps(Person.objects.values("name")[0], default=None)


def test_plaintext_never_becomes_a_parameter() -> None:
    field = Person._meta.get_field("name")

    with pytest.raises(TypeError, match="sealed values only"):
        field.get_db_prep_value("Ada", connection)
    assert field.get_db_prep_value(None, connection) is None


def test_stored_bytes_have_a_digest_for_the_journal() -> None:
    row = person(name="Ada")
    value = stored(row, "name")

    assert value is not None
    assert len(value.digest()) == 64
    assert stored(row, "code") is None


def test_the_field_is_written_into_migrations_with_its_frozen_label() -> None:
    name, path, args, kwargs = Person._meta.get_field("email").deconstruct()

    assert (name, path, args) == ("email", "encryption.fields.SealedEmailField", [])
    assert kwargs == {
        "label": "t.person.email",
        "owner_kind": "subject",
        "owner": "subject_id",
        "blind_index": True,
        "null": True,
    }


def test_every_data_key_has_32_bytes() -> None:
    row = person(name="Ada")
    (key,) = DataKey.objects.filter(owner_id=row.subject_id)
    handle = keyring.current(subject(row.subject_id))

    assert len(handle.raw) == 32
    assert key.owner_kind == OwnerKind.SUBJECT


def test_a_kind_of_field_says_how_it_is_encoded() -> None:
    bare: SealedField[object, object] = SealedField(
        label="t.bare", owner_kind=OwnerKind.SUBJECT, owner="subject_id"
    )

    with pytest.raises(NotImplementedError):
        bare.encode("x")
    with pytest.raises(NotImplementedError):
        bare.decode(b"x")


def test_the_attribute_of_the_class_is_the_descriptor() -> None:
    assert isinstance(Person.__dict__["name"].__get__(None, Person), SealedAttribute)
