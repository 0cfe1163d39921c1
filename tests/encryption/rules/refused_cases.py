"""Cases: uses that are refused."""

from collections.abc import Callable

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Case, Count, F, Max, Q, Value, When
from django.db.models.functions import Lower, Upper
from django.db.models.lookups import Exact

from tests.encryption.models import Person, Visit
from tests.encryption.rules.cases import CANARY, Given, case, read, refused
from tests.encryption.rules.rules import Rule
from tests.factories.encryption import person


@case(Rule.UPDATE_TEXT)
def _(_given: Given) -> None:
    row = person(name="kept")

    for value in (CANARY, Value(CANARY), b"x"):
        with refused(TypeError, "t.person.name", "None only"):
            Person.objects.update(name=value)
    assert read(row).name == "kept"


@case(Rule.UPDATE_F)
def _(_given: Given) -> None:
    row = person(name="kept")

    for value in (F("code"), F("note"), Upper("code")):
        with refused(TypeError, "t.person.name"):
            Person.objects.update(name=value)
    with refused(FieldError, "t.person.name"):
        Person.objects.update(code=F("name"))
    assert read(row).name == "kept"


@case(Rule.UPDATE_CASE)
def _(_given: Given) -> None:
    row = person(name="kept", code="A")
    choice = Case(When(code="A", then=Value(CANARY)), output_field=models.CharField())

    with refused(TypeError, "t.person.name"):
        Person.objects.update(name=choice)
    with refused(FieldError, "t.person.note"):
        Person.objects.update(code=Case(When(code="A", then=F("note"))))
    assert (read(row).name, read(row).code) == ("kept", "A")


def refused_by_index(act: Callable[[dict[str, object]], object]) -> None:
    with refused(FieldError, "t.person.name", "no blind index"):
        act({"name": CANARY})
    with refused(FieldError, "t.person.email", "encryption.services.lookup"):
        act({"email": f"{CANARY}@example.org"})


@case(Rule.FILTER)
def _(_given: Given) -> None:
    refused_by_index(lambda what: Person.objects.filter(**what))
    refused_by_index(lambda what: Person.objects.get(**what))
    refused_by_index(lambda what: Person.objects.filter(Q(code="A") | Q(**what)))
    refused_by_index(lambda what: Visit.objects.filter(**{f"person__{k}": what[k] for k in what}))


@case(Rule.EXCLUDE)
def _(_given: Given) -> None:
    refused_by_index(lambda what: Person.objects.exclude(**what))
    refused_by_index(lambda what: Person.objects.exclude(~Q(**what)))


@case(Rule.LOOKUPS)
def _(_given: Given) -> None:
    tried = 0
    for name in {*models.Field.class_lookups, *models.CharField().get_lookups(), "year"}:
        if name == "isnull":
            continue
        tried += 1
        with refused(FieldError, "t.person.name"):
            Person.objects.filter(**{f"name__{name}": CANARY})
    assert tried > 12
    with refused(FieldError, "transformed"):
        Person.objects.filter(born__year__gt=1)


@case(Rule.CONDITION_ON_CIPHERTEXT)
def _(_given: Given) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: Person.objects.filter(code=F("name")),
        lambda: Person.objects.exclude(Q(code="A") | Q(code=F("name"))),
        lambda: Person.objects.filter(code=Lower("boss__name")),
        lambda: Person.objects.filter(Exact(F("name"), Value(b"x"))),
        lambda: Person.objects.filter(code__in=Person.objects.values("name")),
        lambda: Person.objects.filter(code__in=Person.objects.values_list("name", flat=True)),
    )
    for act in acts:
        with refused(FieldError, "t.person.name", "blind index"):
            act()


@case(Rule.ORDER_BY)
def _(_given: Given) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: Person.objects.order_by("name"),
        lambda: Person.objects.order_by("-boss__name"),
        lambda: Person.objects.order_by(F("name").asc()),
        lambda: Person.objects.latest("name"),
        lambda: Person.objects.earliest("name"),
    )
    for act in acts:
        with refused(FieldError, "t.person.name", "sealed"):
            act()


@case(Rule.DISTINCT)
def _(_given: Given) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: Person.objects.distinct("name"),
        lambda: Person.objects.values("name").distinct(),
        lambda: Person.objects.distinct().values("name"),
        lambda: Person.objects.distinct().values_list("name"),
    )
    for act in acts:
        with refused(FieldError, "t.person.name"):
            act()


@case(Rule.GROUP_BY)
def _(_given: Given) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: Person.objects.values("name").annotate(n=Count("id")),
        lambda: Person.objects.values("code").annotate(n=Count("id")).values("name", "n"),
    )
    for act in acts:
        with refused(FieldError, "t.person.name"):
            act()


@case(Rule.AGGREGATE)
def _(_given: Given) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: Person.objects.aggregate(Max("name")),
        lambda: Person.objects.aggregate(n=Count("name", distinct=True)),
        lambda: Person.objects.annotate(n=Max("reports__name")),
    )
    for act in acts:
        with refused(FieldError, "t.person.name"):
            act()


@case(Rule.ANNOTATE)
def _(_given: Given) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: Person.objects.annotate(x=F("name")),
        lambda: Person.objects.alias(x=Lower("name")),
        lambda: Person.objects.values(x=Lower("name")),
        lambda: Person.objects.annotate(x=Case(When(code="A", then=F("name")))),
    )
    for act in acts:
        with refused(FieldError, "t.person.name"):
            act()


@case(Rule.SET_OPERATION)
def _(_given: Given) -> None:
    names = Person.objects.values("name")
    acts: tuple[Callable[[], object], ...] = (
        lambda: names.union(names),
        lambda: names.intersection(names),
        lambda: names.difference(names),
        lambda: Person.objects.values("code").union(names),
    )
    for act in acts:
        with refused(FieldError, "t.person.name"):
            act()
