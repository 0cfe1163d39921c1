"""Querysets of sealed models: every line of encryption.md 3."""

from collections.abc import Callable
from typing import cast
from uuid import uuid4

import pytest
from django.core.exceptions import FieldError
from django.db import IntegrityError, models
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, Value, When
from django.db.models.functions import Lower, Upper
from pytest_django import DjangoAssertNumQueries

from encryption.errors import KeyLost
from encryption.key_tables import BlindIndexEntry, DataKey
from encryption.sealed import ScopedSealedManager, SealedQuerySet, sealed_fields
from encryption.services import drop_keys, lookup
from foundation.tenancy import ScopeMissing
from tests.encryption.models import Person, Supplier, Visit
from tests.factories.encryption import person, unsaved_person
from tests.proofs import Tried


def test_bulk_create_seals_and_indexes() -> None:
    rows = Person.objects.bulk_create([unsaved_person(name=f"N{n}") for n in range(20)])

    assert sorted(row.name for row in Person.objects.all()) == sorted(row.name for row in rows)
    assert BlindIndexEntry.objects.count() == 20


def test_bulk_create_on_conflict_seals_for_the_row_that_stands_there() -> None:
    standing = person(code="A", name="Old")
    new = unsaved_person(code="A", name="New", subject_id=standing.subject_id,
                         organisation_id=standing.organisation_id)  # fmt: skip
    fresh = unsaved_person(code="B", name="Fresh")

    Person.objects.bulk_create(
        [new, fresh],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "email"],
    )

    assert {(row.pk == standing.pk, row.name) for row in Person.objects.all()} == {
        (True, "New"),
        (False, "Fresh"),
    }
    assert Person.objects.matching(email=new.email) == [standing]


def test_bulk_create_on_a_conflict_of_keys_updates() -> None:
    standing = person(name="Old")
    again = unsaved_person(id=standing.pk, name="New", subject_id=standing.subject_id,
                           organisation_id=standing.organisation_id)  # fmt: skip

    Person.objects.bulk_create(
        [again], update_conflicts=True, unique_fields=["id"], update_fields=["name"]
    )

    assert Person.objects.get().name == "New"


def test_bulk_create_on_conflict_refuses_a_row_of_another_owner() -> None:
    standing = person(code="A", name="Old")

    with pytest.raises(ValueError, match="another"):
        Person.objects.bulk_create(
            [unsaved_person(code="A")],
            update_conflicts=True,
            unique_fields=["code"],
            update_fields=["name"],
        )
    assert Person.objects.get(pk=standing.pk).name == "Old"


def test_bulk_create_refuses_to_ignore_conflicts_where_there_is_an_index() -> None:
    with pytest.raises(TypeError, match="which rows to index"):
        Person.objects.bulk_create([unsaved_person()], ignore_conflicts=True)

    (made,) = Supplier.objects.bulk_create([Supplier(name="Firm")], ignore_conflicts=True)
    assert Supplier.objects.get(pk=made.pk).name == "Firm"


def test_bulk_create_notices_a_row_inserted_meanwhile() -> None:
    queryset = cast("SealedQuerySet[Person]", Person.objects.all())

    with pytest.raises(RuntimeError, match="repeat"):
        queryset._require_standing([unsaved_person()])


def test_bulk_update_seals_only_what_changed() -> None:
    rows = [person(name=f"N{n}") for n in range(3)]
    kept = rows[0].email
    for row in rows:
        row.name = f"{row.name}!"
        row.code = f"{row.code}!"

    updated = Person.objects.bulk_update(rows, ["name", "code"], batch_size=2)

    read = Person.objects.order_by("code")
    assert updated == 3
    assert [row.name for row in read] == ["N0!", "N1!", "N2!"]
    assert read[0].email == kept
    assert all(str(row.code).endswith("!") for row in read)


def test_bulk_update_of_the_owner_seals_anew() -> None:
    rows = [person(name=f"N{n}", note=f"T{n}") for n in range(2)]
    for row in rows:
        row.organisation_id = uuid4()

    Person.objects.bulk_update(rows, ["organisation_id"])

    assert sorted(str(row.note) for row in Person.objects.all()) == ["T0", "T1"]


def test_bulk_update_moves_the_index() -> None:
    row = person(email="old@example.org")
    row.email = "new@example.org"

    Person.objects.bulk_update([row], ["email"])

    assert Person.objects.matching(email="new@example.org") == [row]
    assert Person.objects.matching(email="old@example.org") == []


def test_bulk_update_of_deferred_and_of_no_sealed_fields() -> None:
    row = Person.objects.only("code").get(pk=person(name="Ada").pk)
    row.code = "B"

    assert Person.objects.bulk_update([row], ["name"]) == 1
    assert Person.objects.bulk_update([row], ["code"]) == 1
    assert Person.objects.get(code="B").name == "Ada"


def test_a_changed_owner_that_is_not_written_changes_nothing() -> None:
    row = Person.objects.get(pk=person(name="Ada", note="ours").pk)
    row.organisation_id = uuid4()
    with pytest.raises(ValueError, match="changed organisation_id"):
        row.save(update_fields=["note"])
    with pytest.raises(ValueError, match="changed organisation_id"):
        Person.objects.bulk_update([row], ["note"])

    row.code = "B"
    row.save(update_fields=["code"])
    Person.objects.bulk_update([row], ["code"])
    assert Person.objects.get(pk=row.pk).note == "ours"

    row.save(update_fields=["organisation_id"])
    read = Person.objects.get(pk=row.pk)
    assert (read.note, read.organisation_id) == ("ours", row.organisation_id)


def test_saving_a_row_whose_indexed_field_is_deferred_leaves_the_index() -> None:
    row = Person.objects.defer("email").get(pk=person(email="ada@example.org").pk)

    row.save()

    assert Person.objects.matching(email="ada@example.org") == [row]


def test_update_to_none_empties_field_and_index() -> None:
    row = person()

    assert Person.objects.filter(pk=row.pk).update(email=None, note=None, code="X") == 1

    read = Person.objects.get(pk=row.pk)
    assert (read.email, read.note, read.code) == (None, None, "X")
    assert not BlindIndexEntry.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"name": "x"},
        {"name": F("code")},
        {"name": F("note")},
        {"name": Case(When(code="A", then=Value("x")), output_field=models.CharField())},
        {"name": Value("x")},
        {"organisation_id": uuid4()},
        {"subject_id": uuid4()},
    ],
)
def test_update_refuses_values_expressions_and_new_owners(values: dict[str, object]) -> None:
    row = person(name="Ada")

    with pytest.raises(TypeError):
        Person.objects.update(**values)
    assert Person.objects.get(pk=row.pk).name == "Ada"


def test_update_refuses_to_copy_ciphertext_into_plain_columns() -> None:
    person()

    with pytest.raises(FieldError):
        Person.objects.update(code=F("name"))
    assert Person.objects.update(code=Upper("code")) == 1


LOOKUPS = ["exact", "iexact", "in", "contains", "startswith", "gt", "lt", "range", "regex"]


@pytest.mark.parametrize("lookup_name", LOOKUPS)
def test_filters_are_refused_and_name_the_blind_index(lookup_name: str) -> None:
    person(name="Ada")

    with pytest.raises(FieldError, match="no blind index"):
        Person.objects.filter(**{f"name__{lookup_name}": "Ada"})
    with pytest.raises(FieldError, match=r"encryption\.services\.lookup"):
        Person.objects.exclude(**{f"email__{lookup_name}": "Ada"})


def test_filters_through_relations_and_conditions_are_refused() -> None:
    with pytest.raises(FieldError):
        Visit.objects.filter(person__name="Ada")
    with pytest.raises(FieldError):
        Person.objects.filter(Q(code="A") | Q(name="Ada"))
    with pytest.raises(FieldError):
        Person.objects.get_or_create(name="Ada")
    with pytest.raises(FieldError):
        Person.objects.filter(name__year=1)
    with pytest.raises(FieldError, match="transformed"):
        Person.objects.filter(name__year__gt=1)
    with pytest.raises(FieldError):
        Person.objects.annotate(x=Case(When(name="Ada", then=Value(1)), default=Value(0)))


def test_isnull_works() -> None:
    with_note, without = person(note="x"), person(note=None)

    assert list(Person.objects.filter(note__isnull=True)) == [without]
    assert list(Person.objects.exclude(note__isnull=True)) == [with_note]


@pytest.mark.parametrize(
    "act",
    [
        lambda: Person.objects.order_by("name"),
        lambda: Person.objects.order_by("-boss__name"),
        lambda: Person.objects.order_by(F("name").desc()),
        lambda: Person.objects.order_by(Lower("name")),
        lambda: Person.objects.distinct("name"),
        lambda: Person.objects.values("name").distinct(),
        lambda: Person.objects.values("name").annotate(n=Count("id")),
        lambda: Person.objects.aggregate(Max("name")),
        lambda: Person.objects.aggregate(top=Count("name", distinct=True)),
        lambda: Person.objects.annotate(x=F("name")),
        lambda: Person.objects.annotate(x=Max("boss__name")),
        lambda: Person.objects.alias(x=Lower("name")),
        lambda: Person.objects.latest("name"),
        lambda: Person.objects.earliest("name"),
        lambda: Person.objects.values(x=Lower("name")),
        lambda: Person.objects.values_list(Lower("name")),
        lambda: Person.objects.dates("born", "year"),
    ],
)
def test_ordering_grouping_and_aggregates_are_refused(act: Callable[[], object]) -> None:
    person()

    with pytest.raises(FieldError, match="sealed"):
        act()


def test_plain_columns_are_ordered_grouped_and_aggregated() -> None:
    boss = person(code="A")
    person(code="B", boss=boss)

    assert Person.objects.order_by("code", "?", "-boss__code").first() == boss
    assert Person.objects.aggregate(top=Max("code"))["top"] == "B"
    assert [
        row["n"] for row in Person.objects.annotate(n=Count("boss")).order_by("code").values("n")
    ] == [0, 1]
    assert Person.objects.alias(x=Lower("code")).filter(x="b").count() == 1
    assert Person.objects.filter(Exists(Person.objects.filter(boss=OuterRef("pk")))).get() == boss
    assert next(iter(Person.objects.values("code").distinct().order_by("code"))) == {"code": "A"}
    assert Person.objects.distinct().count() == 2
    assert Person.objects.latest("code").code == "B"
    assert Person.objects.earliest("code").code == "A"
    with pytest.raises(FieldError):
        Person.objects.order_by("nothing__name")
    with pytest.raises(FieldError):
        Person.objects.order_by("code__name").first()


def test_only_and_defer_keep_key_and_owners() -> None:
    row = person(name="Ada", note="ours")

    for queryset in (
        Person.objects.only("name", "note"),
        Person.objects.defer("organisation_id", "subject_id", "pk", "code"),
    ):
        read = queryset.get(pk=row.pk)
        assert not {"id", "subject_id", "organisation_id"} & read.get_deferred_fields()
        assert "code" in read.get_deferred_fields()
        assert (read.name, read.note) == ("Ada", "ours")
    assert not Person.objects.defer("code").defer(None).get(pk=row.pk).get_deferred_fields()


def test_select_related_and_prefetched_values_open() -> None:
    boss = person(name="Boss")
    person(name="Ada", boss=boss)
    Visit.objects.create(person=boss)

    read = Person.objects.select_related("boss").exclude(boss=None).get()
    narrow = Visit.objects.select_related("person").only("person__name").get()
    fetched = Visit.objects.prefetch_related("person").get()

    assert read.boss.name == "Boss"
    assert narrow.person.name == "Boss"
    assert fetched.person.name == "Boss"


@pytest.mark.proof("encryption: a list of many owners loads its keys in one query")
def test_a_list_loads_its_keys_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries, tried: Tried
) -> None:
    boss = person(name="Boss")
    Person.objects.bulk_create([unsaved_person(name=f"N{n}", boss=boss) for n in range(50)])
    drop_keys()
    _ = Person.objects.get(pk=boss.pk).name  # the key-encryption key is there

    with django_assert_num_queries(1, using="keys"):
        rows = list(Person.objects.select_related("boss"))
        assert len({row.name for row in rows}) == 51
        assert rows[5].boss.name == "Boss"
        tried.case(len(rows))

    # Control: without the preload each row asks on its own.
    drop_keys()
    _ = Person.objects.get(pk=boss.pk).name
    with django_assert_num_queries(100, using="keys"):
        plain: models.QuerySet[Person] = models.QuerySet(Person)
        for row in plain.order_by("id"):
            _ = row.name, row.note


def test_an_iterator_loads_keys_by_chunk(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    boss = person()
    Person.objects.bulk_create([unsaved_person() for _ in range(9)])
    drop_keys()
    _ = Person.objects.get(pk=boss.pk).name

    with django_assert_num_queries(2, using="keys"):
        assert len([row.name for row in Person.objects.iterator(chunk_size=5)]) == 10
    assert len(list(Person.objects.iterator())) == 10
    assert len(list(Person.objects.values("code").iterator())) == 10


def test_lost_keys_do_not_break_a_list() -> None:
    kept, lost = person(name="Ada"), person(name="Eve")
    DataKey.objects.filter(owner_id=lost.subject_id).delete()
    drop_keys()

    rows = {row.pk: row for row in Person.objects.all()}

    assert rows[kept.pk].name == "Ada"
    with pytest.raises(KeyLost):
        _ = rows[lost.pk].name


def test_lookup_finds_by_blind_index_alone() -> None:
    row = person(email="Ada@Example.org")
    person(email="eve@example.org")

    assert list(Person.objects.filter(lookup(Person, "email", "ada@example.ORG"))) == [row]
    assert list(Person.objects.exclude(lookup(Person, "email", "eve@example.org"))) == [row]
    both = lookup(Person, "email", "ada@example.org") & Q(code=row.code)
    assert Person.objects.filter(both).get() == row
    with pytest.raises(TypeError, match="no blind index"):
        lookup(Person, "name", "Ada")
    with pytest.raises(TypeError, match="not sealed"):
        lookup(Person, "code", "A")


def test_the_lookup_is_one_array_condition() -> None:
    sql = str(Person.objects.filter(lookup(Person, "email", "a@example.org")).query)

    assert 'id" = ANY(ARRAY(SELECT row FROM encryption_blindindexentry' in sql


def test_a_unique_field_has_one_row_per_value() -> None:
    row = person(email="ada@example.org")
    with pytest.raises(IntegrityError):
        person(email="ADA@example.org")

    row_again = Person(pk=row.pk)
    assert row_again == row


def test_saving_indexes_only_changes_and_deleting_takes_the_digest() -> None:
    row = person(email="ada@example.org")
    row.email = None
    row.save(update_fields=["email"])
    assert not BlindIndexEntry.objects.exists()
    row.email = "eve@example.org"
    row.save(update_fields=["code"])
    assert not BlindIndexEntry.objects.exists()
    row.save(using="default")
    assert BlindIndexEntry.objects.count() == 1

    Person.objects.all().delete()

    assert not BlindIndexEntry.objects.exists()


def test_models_tell_their_sealed_fields() -> None:
    assert [field.name for field in sealed_fields(Supplier)] == ["name"]
    assert sealed_fields(Visit) == ()


def test_a_scoped_manager_raises_outside_a_scope() -> None:
    manager: ScopedSealedManager[Person] = ScopedSealedManager()
    manager.model = Person

    with pytest.raises(ScopeMissing):
        manager.all()
