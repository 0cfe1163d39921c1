"""Insert, read and look up the same people plain, sealed, and sealed by a rival."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import models, transaction

from encryption.light import light_matches, opened
from encryption.services import drop_keys
from tests.benchmarks import tables
from tests.benchmarks.measuring import Contestant, Measurement, Times, race, ratio, scaled
from tests.benchmarks.models import (
    FernetPerson,
    OneKeyPerson,
    OrganisationPerson,
    PlainPerson,
    SubjectPerson,
)
from tests.servers import FreshDatabase

ROWS = 3000
ORGANISATIONS = 100
BATCH = 1000
LOOKUPS = 80
LOOKUP_ROWS = 500
GROWTH = (1, 10, 100)

TABLES: tuple[type[models.Model], ...] = (
    PlainPerson,
    OneKeyPerson,
    OrganisationPerson,
    SubjectPerson,
    FernetPerson,
)
SEALED = ("one key", "per organisation", "per subject")
COLUMNS = ("name", "email", "phone", "iban", "note")

_NOTE = ("Wants to be called in the morning and pays by invoice only. " * 4)[:200]


@dataclass(frozen=True, slots=True)
class Variant:
    """A table, with the owners its rows are spread over.

    Attributes:
        model: the table.
        organisations: in turn, row by row.
        waiting: rows that the next insert takes; saved objects are sealed already and of no use.
    """

    model: type[models.Model]
    organisations: Sequence[UUID]
    waiting: list[models.Model] = field(default_factory=list)

    def make(self, number: int, *, first: int = 0) -> None:
        """Make the rows of the next insert."""
        owners = self.organisations
        self.waiting[:] = [
            self.model(organisation_id=owners[place % len(owners)], **_person(place))
            for place in range(first, first + number)
        ]

    def insert(self) -> None:
        """Insert the waiting rows in one transaction."""
        with transaction.atomic():
            self.model._default_manager.bulk_create(self.waiting, batch_size=BATCH)

    def read(self) -> None:
        """Read all rows and touch every value."""
        for row in self.model._default_manager.all():
            for name in COLUMNS:
                getattr(row, name)


def variants() -> dict[str, Variant]:
    """Return the contestants by name."""
    many = [uuid4() for _ in range(ORGANISATIONS)]
    return {
        "plain": Variant(PlainPerson, many),
        "one key": Variant(OneKeyPerson, many[:1]),
        "per organisation": Variant(OrganisationPerson, many),
        "per subject": Variant(SubjectPerson, many),
        "fernet": Variant(FernetPerson, many),
    }


def inserts(database: FreshDatabase) -> list[Measurement]:
    """Measure inserts; index rows and new keys of owners are part of it."""

    def contestant(variant: Variant) -> Contestant:
        def prepare() -> None:
            tables.empty(database, variant.model)
            variant.make(scaled(ROWS))

        return Contestant(run=variant.insert, prepare=prepare)

    times = race({name: contestant(variant) for name, variant in variants().items()}, laps=2)
    return [
        *_beside_plain("insert", times, ("one key", "per organisation"), at_most=4.5),
        *_beside_plain("insert", times, ("per subject", "fernet")),
    ]


def reads(database: FreshDatabase) -> list[Measurement]:
    """Measure reading all rows with all values; each run loads and unwraps its keys anew."""
    tables.empty(database, *TABLES)
    found = variants()
    for variant in found.values():
        variant.make(scaled(ROWS))
        variant.insert()
        variant.waiting.clear()
    tables.analyse(database)
    times = race(
        {name: Contestant(run=item.read, prepare=drop_keys) for name, item in found.items()},
        laps=6,
    )
    one_key, fernet = times["one key"].wall, times["fernet"].wall
    return [
        *_beside_plain("read", times, ("one key", "per organisation"), at_most=6),
        *_beside_plain("read", times, ("per subject", "fernet")),
        ratio("read, fernet / one key", fernet, one_key, unit="x ours", at_least=2),
        ratio(
            "read, fernet / per organisation",
            fernet,
            times["per organisation"].wall,
            unit="x ours",
            at_least=2,
        ),
        ratio(
            "read, per subject with preload / one key",
            times["per subject"].wall,
            one_key,
            unit="x one key",
            at_most=2,
        ),
    ]


def lookups(database: FreshDatabase) -> list[Measurement]:
    """Measure finding one row by its e-mail address, while the tables grow."""
    tables.empty(database, *TABLES)
    plain = Variant(PlainPerson, [uuid4()])
    sealed = Variant(OneKeyPerson, plain.organisations)
    rows: list[Measurement] = []
    smallest: dict[str, Times] = {}
    filled = 0
    for factor in GROWTH:
        wanted = scaled(LOOKUP_ROWS * factor)
        for variant in (plain, sealed):
            variant.make(wanted - filled, first=filled)
            variant.insert()
        filled = wanted
        tables.analyse(database)
        times = _lookup_race(filled)
        name, plain_wall = f"lookup among {factor}x rows", times["plain"].wall
        rows += [
            ratio(
                f"{name}, {how} / plain index",
                times[contestant].wall,
                plain_wall,
                unit="x plain",
                at_most=1.3,
            )
            for contestant, how in (("blind", "blind index"), ("objects", "blind index to objects"))
        ]
        smallest = smallest or times
    return [
        *rows,
        *(
            ratio(
                f"growth of a lookup, {name} index, 100x rows / 1x rows",
                times[name].wall,
                smallest[name].wall,
                unit="x smallest",
            )
            for name in ("plain", "blind")
        ),
    ]


def _lookup_race(filled: int) -> dict[str, Times]:
    number = scaled(LOOKUPS, least=20)
    addresses = [_person(place * 7919 % filled)["email"] for place in range(number)]

    def find_plain() -> None:
        for address in addresses:
            (found,) = PlainPerson.objects.filter(email=address)
            assert found.email == address

    def find_blind() -> None:
        for address in addresses:
            (found,) = light_matches(OneKeyPerson, *COLUMNS, email=address)
            assert opened(OneKeyPerson, "email", found[1]) == address

    def find_objects() -> None:
        for address in addresses:
            (found,) = OneKeyPerson.objects.get_queryset().matching(email=address)
            assert found.email == address

    contestants = {
        "plain": Contestant(run=find_plain),
        "blind": Contestant(run=find_blind),
        "objects": Contestant(run=find_objects),
    }
    return race(contestants)


def _beside_plain(
    what: str, times: dict[str, Times], names: Sequence[str], *, at_most: float | None = None
) -> list[Measurement]:
    plain = times["plain"]
    rows = []
    for name in names:
        of_name = times[name]
        rows += [
            ratio(
                f"{what}, {name} / plain",
                of_name.wall,
                plain.wall,
                unit="x plain",
                at_most=at_most,
            ),
            ratio(
                f"{what}, {name} / plain, processor of this process",
                of_name.processor,
                plain.processor,
                unit="x plain",
            ),
        ]
    return rows


def _person(place: int) -> dict[str, str]:
    return {
        "name": f"Anna Kowalska {place:04d}",
        "email": f"person{place:07d}@customer.example",
        "phone": f"+49 30 {place:07d}",
        "iban": f"DE89370400{place:012d}",
        "note": _NOTE,
    }
