"""Insert, read and look up the same people plain, sealed, and sealed by a rival."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import models, transaction

from encryption.key_tables import BlindIndexEntry
from encryption.light import light_matches, opened
from encryption.sealed import SealedMixin
from encryption.services import drop_keys
from tests.benchmarks import tables
from tests.benchmarks.measuring import (
    Contestant,
    Measurement,
    Times,
    figure,
    race,
    ratio,
    scaled,
)
from tests.benchmarks.models import (
    FernetPerson,
    OneKeyPerson,
    OrganisationPerson,
    PlainPerson,
    SubjectPerson,
)
from tests.benchmarks.rows import BATCH, COLUMNS, person
from tests.servers import FreshDatabase

ROWS = 3000
ORGANISATIONS = 100
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
BOUND = ("one key", "per organisation")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Targets, as ratios.

    Attributes:
        insert: to plain, of the variants with one key and with a key for each organisation.
        read: likewise.
        rival: of a rival's read to ours; by name of the rival.
        subject: read with a key for each person, to one key.
        lookup: by blind index to a plain index.
    """

    insert: float
    read: float
    rival: Mapping[str, float]
    subject: float
    lookup: float


FLOOR = Bounds(4.5, 6, {"fernet": 2}, 2, 1.3)  # encryption.md 12


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
            self.model(organisation_id=owners[place % len(owners)], **person(place))
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


def inserts(
    database: FreshDatabase, bounds: Bounds, rivals: Mapping[str, Contestant] | None = None
) -> list[Measurement]:
    """Measure inserts; index rows and new keys of owners are part of it."""

    def contestant(variant: Variant) -> Contestant:
        def prepare() -> None:
            tables.empty(database, variant.model)
            variant.make(scaled(ROWS))

        return Contestant(run=variant.insert, prepare=prepare)

    ours = {name: contestant(variant) for name, variant in variants().items()}
    times = race({**ours, **(rivals or {})}, laps=3)
    return [
        *_beside_plain("insert", times, BOUND, at_most=bounds.insert),
        *_beside_plain("insert", times, ("per subject", "fernet", *(rivals or ()))),
    ]


def reads(
    database: FreshDatabase, bounds: Bounds, rivals: Mapping[str, Contestant] | None = None
) -> list[Measurement]:
    """Measure reading all rows with all values; each run loads and unwraps its keys anew."""
    found = fill(database)
    ours = {name: Contestant(run=item.read, prepare=drop_keys) for name, item in found.items()}
    times = race({**ours, **(rivals or {})}, laps=6)
    one_key = times["one key"].wall
    return [
        *_beside_plain("read", times, BOUND, at_most=bounds.read),
        *_beside_plain("read", times, ("per subject", "fernet", *(rivals or ()))),
        *(
            ratio(
                f"read, {rival} / {name}",
                times[rival].wall,
                times[name].wall,
                unit="x ours",
                at_least=least,
            )
            for rival, least in bounds.rival.items()
            for name in BOUND
        ),
        ratio(
            "read, per subject with preload / one key",
            times["per subject"].wall,
            one_key,
            unit="x one key",
            at_most=bounds.subject,
        ),
    ]


def fill(database: FreshDatabase) -> dict[str, Variant]:
    """Put the rows into all tables and return the contestants by name."""
    tables.empty(database, *TABLES)
    found = variants()
    for variant in found.values():
        variant.make(scaled(ROWS))
        variant.insert()
        variant.waiting.clear()
    tables.analyse(database)
    return found


def lookups(database: FreshDatabase, bounds: Bounds) -> list[Measurement]:
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
                at_most=bounds.lookup,
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


def sizes(database: FreshDatabase) -> list[Measurement]:
    """Measure the bytes of a row with its indexes, and of its entry in the blind index."""
    found = fill(database)
    number = scaled(ROWS)
    sealed = sum(1 for variant in found.values() if issubclass(variant.model, SealedMixin))
    rows = [
        figure(
            f"size, {name}",
            tables.size(database, variant.model._meta.db_table) / number,
            unit="B a row",
        )
        for name, variant in found.items()
    ]
    index = tables.size(database, BlindIndexEntry._meta.db_table) / (number * sealed)
    return [*rows, figure("size, entry of the blind index", index, unit="B a row")]


def growth(database: FreshDatabase) -> list[Measurement]:
    """Measure reading all rows, plain and under one key, while the tables grow."""
    tables.empty(database, *TABLES)
    found = {name: item for name, item in variants().items() if name in ("plain", "one key")}
    rows: list[Measurement] = []
    smallest: dict[str, list[float]] = {}
    filled = 0
    for factor in GROWTH:
        wanted = scaled(LOOKUP_ROWS * factor)
        for variant in found.values():
            variant.make(wanted - filled, first=filled)
            variant.insert()
            variant.waiting.clear()
        filled = wanted
        tables.analyse(database)
        times = race({name: Contestant(item.read, drop_keys) for name, item in found.items()})
        each = {name: [wall / filled for wall in of.wall] for name, of in times.items()}
        smallest = smallest or each
        rows += [
            ratio(f"read of {factor}x rows, one key / plain", *_pair(each), unit="x plain"),
            *(
                ratio(
                    f"growth of a read, {name}, {factor}x rows / 1x rows",
                    each[name],
                    smallest[name],
                    unit="x a row",
                )
                for name in found
            ),
        ]
    return rows


def _pair(each: Mapping[str, list[float]]) -> tuple[list[float], list[float]]:
    return each["one key"], each["plain"]


def _lookup_race(filled: int) -> dict[str, Times]:
    number = scaled(LOOKUPS, least=20)
    addresses = [person(place * 7919 % filled)["email"] for place in range(number)]

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
