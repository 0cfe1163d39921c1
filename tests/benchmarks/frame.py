"""Benchmarks of the frame: what sealing, journal, row security and scopes cost (make bench).

Every figure is a ratio to a floor, and to a rival, that ran in the same rounds on the same rows.
Nothing asserts a time; a missed target fails unless a numbered decision accepts it.
"""

from typing import Final

import pytest
from pytest_django import Settings

from tests.benchmarks import lists, people, tables, walls, writes
from tests.benchmarks.measuring import report
from tests.servers import FreshDatabase

AREA: Final = "frame"
DECISIONS: Final = {
    "read, fernet / one key": "0014",
    "read, fernet / per organisation": "0014",
    "partner API list of 50 sealed rows / plain DRF list with token": "0015",
    "write of one row, 8 writers, recorded / unaudited": "0010",
    "lookup among 1x rows, blind index to objects / plain index": "0011",
    "lookup among 10x rows, blind index to objects / plain index": "0011",
    "lookup among 100x rows, blind index to objects / plain index": "0011",
}

pytestmark = pytest.mark.usefixtures("fresh_database")


def test_sealed_fields_are_inserted_read_and_found_beside_plain_ones(
    fresh_database: FreshDatabase, settings: Settings
) -> None:
    settings.SALT_KEY = "benchmark"  # django-fernet-encrypted-fields derives its key with it
    tables.create(fresh_database, *people.TABLES)

    rows = [
        *people.inserts(fresh_database, people.FLOOR),
        *people.reads(fresh_database, people.FLOOR),
        *people.lookups(fresh_database, people.FLOOR),
    ]

    assert report(AREA, rows, decisions=DECISIONS)


def test_a_business_write_keeps_its_rate_with_a_journal_entry(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        *writes.of_one_row(fresh_database),
        *writes.of_a_record(fresh_database, monkeypatch),
    ]

    assert report(AREA, rows, decisions=DECISIONS)


def test_the_partner_api_lists_sealed_rows_beside_a_plain_list(
    fresh_database: FreshDatabase, settings: Settings
) -> None:
    rows = lists.measure(fresh_database, settings)

    assert report(AREA, rows, decisions=DECISIONS)


def test_row_security_and_the_transaction_of_a_scope_have_their_price(
    fresh_database: FreshDatabase,
) -> None:
    rows = walls.measure(fresh_database)

    assert report(AREA, rows, decisions=DECISIONS)
