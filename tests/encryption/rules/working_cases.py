"""Cases: uses that work."""

import asyncio
from typing import cast
from uuid import uuid4

from asgiref.sync import async_to_sync
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import Exists, OuterRef, Q, Subquery
from django.test.utils import CaptureQueriesContext

from encryption.key_tables import BlindIndexEntry
from encryption.plans import stored
from encryption.sealed import SealedManager
from encryption.services import drop_keys, lookup
from tests.encryption.models import Manager, Person, PersonAlias
from tests.encryption.rules.cases import CANARY, Given, case, read, refused
from tests.encryption.rules.rules import Rule
from tests.factories.encryption import person, unsaved_person


@case(Rule.SAVE)
def _(_given: Given) -> None:
    row = person(name="old")
    row.name, row.note = CANARY, "only note"
    row.save(update_fields=["name"])

    assert read(row).name == CANARY
    assert read(row).note != "only note"


@case(Rule.BULK_CREATE)
def _(_given: Given) -> None:
    rows = [unsaved_person(name=f"{CANARY}{number}") for number in range(7)]
    Person.objects.bulk_create(rows, batch_size=3)

    assert {row.pk: row.name for row in Person.objects.all()} == {row.pk: row.name for row in rows}
    assert BlindIndexEntry.objects.count() == len(rows)


@case(Rule.UPSERT)
def _(_given: Given) -> None:
    old = person(code="A", name="old", note="kept")
    owners = {"subject_id": old.subject_id, "organisation_id": old.organisation_id}
    Person.objects.bulk_create(
        [unsaved_person(code="A", name=CANARY, **owners), unsaved_person(code="B", name="new")],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name"],
    )

    assert (read(old).name, read(old).note) == (CANARY, "kept")
    assert Person.objects.get(code="B").name == "new"


@case(Rule.BULK_UPDATE)
def _(_given: Given) -> None:
    rows = [person(), person(), person()]
    for number, row in enumerate(rows):
        row.name, row.code, row.organisation_id = f"{CANARY}{number}", f"C{number}", uuid4()
    Person.objects.bulk_update(rows, ["name", "code", "organisation_id"], batch_size=2)

    for row in rows:
        found = read(row)
        assert (found.name, found.code, found.note) == (row.name, row.code, row.note)


@case(Rule.UPDATE_TO_NONE)
def _(_given: Given) -> None:
    row = person()

    assert Person.objects.filter(pk=row.pk).update(email=None, note=None) == 1
    assert (read(row).email, read(row).note, read(row).name) == (None, None, row.name)
    assert not BlindIndexEntry.objects.exists()


@case(Rule.ONLY)
def _(_given: Given) -> None:
    row = Person.objects.only("name").get(pk=person(name=CANARY, note="ours").pk)

    assert "note" in row.get_deferred_fields()
    assert (row.name, row.note) == (CANARY, "ours")


@case(Rule.DEFER)
def _(_given: Given) -> None:
    row = Person.objects.defer("name").get(pk=person(name=CANARY).pk)

    assert row.get_deferred_fields() == {"name"}
    assert row.name == CANARY


@case(Rule.SELECT_RELATED)
def _(_given: Given) -> None:
    boss = person(name=CANARY)
    row = Person.objects.select_related("boss").get(pk=person(boss=boss).pk)

    with CaptureQueriesContext(connection) as found:
        assert row.boss.name == CANARY
    assert not found.captured_queries


@case(Rule.ISNULL)
def _(_given: Given) -> None:
    has, lacks = person(note=""), person(note=None)

    assert list(Person.objects.filter(note__isnull=True)) == [lacks]
    assert list(Person.objects.exclude(note__isnull=True)) == [has]
    both = Q(note__isnull=True) & Q(name__isnull=False)
    assert list(Person.objects.filter(both)) == [lacks]


def reports_of(boss: Person) -> SealedManager[Person]:
    return cast("SealedManager[Person]", getattr(boss, "reports"))  # noqa: B009  not in the stubs


@case(Rule.PREFETCH_RELATED)
def _(_given: Given) -> None:
    boss = person(name="boss")
    person(name=CANARY, boss=boss)

    (found,) = Person.objects.prefetch_related("reports").filter(pk=boss.pk)
    with CaptureQueriesContext(connection) as queries:
        assert [report.name for report in reports_of(found).all()] == [CANARY]
    assert not queries.captured_queries


@case(Rule.REVERSE_MANAGER)
def _(_given: Given) -> None:
    boss = person()
    made = reports_of(boss).create(name=CANARY, code="R")

    assert reports_of(boss).get().name == read(made).name == CANARY
    with refused(FieldError, "t.person.name"):
        reports_of(boss).filter(name=CANARY)
    with refused(TypeError, "t.person.name"):
        reports_of(boss).update(name=CANARY)


@case(Rule.IN_BULK)
def _(_given: Given) -> None:
    first, second = person(name="a", code="1"), person(name="b", code="2")

    found = Person.objects.in_bulk([first.pk, second.pk])
    assert {key: row.name for key, row in found.items()} == {first.pk: "a", second.pk: "b"}
    assert Person.objects.in_bulk(["2"], field_name="code")["2"].name == "b"
    with refused(ValueError, "unique"):
        Person.objects.in_bulk([CANARY], field_name="name")


@case(Rule.GET_OR_CREATE)
def _(_given: Given) -> None:
    row, is_new = Person.objects.get_or_create(code="G", defaults={"name": CANARY})
    again, is_again_new = Person.objects.update_or_create(code="G", defaults={"name": "other"})

    assert (is_new, is_again_new, again.pk) == (True, False, row.pk)
    assert read(row).name == "other"
    with refused(FieldError, "t.person.name"):
        Person.objects.get_or_create(name=CANARY)


@case(Rule.UNION)
def _(_given: Given) -> None:
    first, second = person(name="a", code="1"), person(name="b", code="2")
    one = Person.objects.filter(pk=first.pk)
    both = one.union(Person.objects.filter(pk=second.pk), one)

    assert [row.name for row in both.order_by("code")] == ["a", "b"]
    assert [row.name for row in Person.objects.intersection(one)] == ["a"]
    assert [row.name for row in Person.objects.difference(one)] == ["b"]
    assert len(one.values("name").union(one.values("name"), all=True)) == 2


@case(Rule.SUBQUERY)
def _(_given: Given) -> None:
    boss = person(name=CANARY, code="boss")
    person(code="report", boss=boss)
    reports = Person.objects.filter(boss=OuterRef("pk"))

    assert Person.objects.filter(Exists(reports)).get().name == CANARY
    found = Person.objects.annotate(first=Subquery(reports.values("code")[:1]))
    assert found.values_list("first", flat=True).get(pk=boss.pk) == "report"
    assert Person.objects.filter(pk__in=reports.model.objects.values("boss")).get() == boss
    shown = Person.objects.annotate(x=Subquery(Person.objects.values("name")[:1]))
    assert {repr(x) for x in shown.values_list("x", flat=True)} == {"<Sealed>"}


@case(Rule.RAW)
def _(_given: Given) -> None:
    row = person(name=CANARY)

    for columns in ("*", "id, name"):
        statement = f"SELECT {columns} FROM {Person._meta.db_table} WHERE id = %s"  # noqa: S608
        assert [found.name for found in Person.objects.raw(statement, [row.pk])] == [CANARY]


@case(Rule.PROXY)
def _(_given: Given) -> None:
    row = PersonAlias.objects.create(name="old")
    row.name = CANARY
    row.save()

    assert read(row).name == PersonAlias.objects.get(pk=row.pk).name == CANARY
    with refused(FieldError, "t.person.name"):
        PersonAlias.objects.order_by("name")


@case(Rule.INHERITED_TABLE)
def _(_given: Given) -> None:
    managers = cast("SealedManager[Manager]", Manager.objects)
    row = Manager(name="old", title="Head", email="m@example.org")
    row.save()
    found = managers.get(pk=row.pk)
    found.name, found.title, found.subject_id = CANARY, "Chief", uuid4()
    found.save()

    again = managers.get(pk=row.pk)
    assert (read(row).name, again.name, again.title) == (CANARY, CANARY, "Chief")
    assert managers.only("title").get(pk=row.pk).title == "Chief"
    assert managers.defer("title").get(pk=row.pk).title == "Chief"
    assert [m.pk for m in managers.matching(email="m@example.org")] == [row.pk]
    again.title, again.name = "Both", "tables"
    managers.bulk_update([again], ["title", "name"])
    last = managers.get(pk=row.pk)
    assert (last.title, last.name, read(row).name) == ("Both", "tables", "tables")
    with refused(FieldError, "t.person.name"):
        managers.filter(name=CANARY)


@case(Rule.ITERATOR)
def _(_given: Given) -> None:
    names = {person().name for _ in range(5)}

    assert {row.name for row in Person.objects.iterator(chunk_size=2)} == names
    assert [row["code"] for row in Person.objects.values("code").iterator()]


@case(Rule.ASYNC)
def _(_given: Given) -> None:
    async def journey() -> list[str]:
        made = await Person.objects.acreate(name=CANARY, code="A")
        found = await Person.objects.aget(pk=made.pk)
        found.note = "async"
        await found.asave()
        await Person.objects.abulk_create([unsaved_person(name="second", code="B")])
        drop_keys()
        seen = [row.name async for row in Person.objects.order_by("code")]
        drop_keys()
        seen += [row.name async for row in Person.objects.order_by("code").aiterator()]
        drop_keys()
        seen += [row.name async for row in Person.objects.order_by("code").aiterator(chunk_size=1)]
        seen += [row["code"] async for row in Person.objects.values("code").aiterator()]
        await found.arefresh_from_db()
        assert asyncio.get_running_loop().is_running()
        return [*seen, found.name]

    assert async_to_sync(journey)()[:6] == [CANARY, "second"] * 3


@case(Rule.REFRESH)
def _(_given: Given) -> None:
    row = person(name=CANARY)
    row.name = "other"
    row.refresh_from_db()

    assert row.name == CANARY
    assert stored(row, "name") is not None


@case(Rule.MATCHING)
def _(_given: Given) -> None:
    row = person(email="Ada@Example.org")
    person()

    assert list(Person.objects.filter(lookup(Person, "email", "ada@example.org"))) == [row]
    assert Person.objects.matching(email="ADA@example.org") == [row]
    with refused(TypeError, "no blind index"):
        lookup(Person, "name", CANARY)
