"""Benchmarks of encryption: sealed fields beside four packages, and sealed files beside age.

Every figure is a ratio to a floor, and to a rival, that ran in the same rounds on the same rows.
Nothing asserts a time; a missed target fails unless a numbered decision accepts it.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from pytest_django import Settings

from tests.benchmarks import files, people, tables
from tests.benchmarks.measuring import Contestant, Measurement, figure, report, scaled
from tests.benchmarks.rivals.child import Rival
from tests.benchmarks.rivals.environments import python_of
from tests.servers import FreshDatabase

AREA: Final = "encryption"
PACKAGES: Final = {
    "cryptography-5": "django_cryptography_5",
    "encrypted-model": "django_encrypted_model_fields",
    "searchable": "django_searchable_encrypted_fields",
}
BOUNDS: Final = people.Bounds(
    insert=3.5,
    read=5,
    rival={"fernet": 2, "cryptography-5": 2, "encrypted-model": 2, "searchable": 8},
    subject=1.8,
    lookup=1.2,
)
DECISIONS: Final = {
    "read, fernet / one key": "0014",
    "read, fernet / per organisation": "0014",
    "read, encrypted-model / one key": "0014",
    "read, encrypted-model / per organisation": "0014",
    "file of 100 MiB sealed / copied": "0013",
    "lookup among 1x rows, blind index to objects / plain index": "0011",
    "lookup among 10x rows, blind index to objects / plain index": "0011",
    "lookup among 100x rows, blind index to objects / plain index": "0011",
}

pytestmark = pytest.mark.usefixtures("fresh_database")


@pytest.fixture
def rivals(fresh_database: FreshDatabase) -> Iterator[dict[str, Rival]]:
    """Start each package that cannot share our environment in a process of its own."""
    with ExitStack() as stack:
        started = {
            name: Rival("sealing", fresh_database, python=python_of(it), more={"RIVAL": it})
            for name, it in PACKAGES.items()
        }
        for rival in started.values():
            stack.enter_context(rival)
        yield started


def test_sealed_fields_stand_beside_plain_ones_and_four_packages(
    fresh_database: FreshDatabase, rivals: dict[str, Rival], settings: Settings
) -> None:
    settings.SALT_KEY = "benchmark"  # django-fernet-encrypted-fields derives its key with it
    tables.create(fresh_database, *people.TABLES)

    rows = [
        *people.inserts(fresh_database, BOUNDS, _inserting(rivals)),
        *people.reads(fresh_database, BOUNDS, _reading(rivals)),
        *people.sizes(fresh_database),
        *_sizes(fresh_database, rivals),
    ]

    assert report(AREA, rows, decisions=DECISIONS)


def test_sealed_rows_are_found_and_read_while_their_tables_grow(
    fresh_database: FreshDatabase,
) -> None:
    tables.create(fresh_database, *people.TABLES)

    rows = [
        *people.lookups(fresh_database, BOUNDS),
        *people.growth(fresh_database),
    ]

    assert report(AREA, rows, decisions=DECISIONS)


def test_sealed_files_stand_beside_a_plain_copy_and_age(tmp_path: Path) -> None:
    rows = files.measure(tmp_path)

    assert report(AREA, rows, decisions=DECISIONS)


def _inserting(rivals: dict[str, Rival]) -> dict[str, Contestant]:
    return {
        name: Contestant(
            run=partial(rival.ask, act="insert", number=scaled(people.ROWS)),
            prepare=partial(rival.ask, act="make", number=scaled(people.ROWS)),
        )
        for name, rival in rivals.items()
    }


def _reading(rivals: dict[str, Rival]) -> dict[str, Contestant]:
    """Read what the last insert left."""
    number = scaled(people.ROWS)
    for rival in rivals.values():
        rival.ask(act="check", number=number)
    return {
        name: Contestant(partial(rival.ask, act="read", number=number))
        for name, rival in rivals.items()
    }


def _sizes(database: FreshDatabase, rivals: dict[str, Rival]) -> list[Measurement]:
    number = scaled(people.ROWS)
    return [
        figure(
            f"size, {name}",
            tables.size(database, "sealing_person", within=rival.database) / number,
            unit="B a row",
        )
        for name, rival in rivals.items()
    ]
