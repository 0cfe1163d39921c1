"""Statements that are prepared once per connection."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from foundation import prepared

ADD = "SELECT %s::int + 1, %s::text"
PREPARED = (
    "SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int + 1%%'"
)


def test_rows_come_back_and_the_statement_stays_prepared() -> None:
    rows = [prepared.fetch(ADD, [number, "a"], using="default") for number in range(3)]

    assert rows == [[(1, "a")], [(2, "a")], [(3, "a")]]
    with connection.cursor() as cursor:
        cursor.execute(PREPARED)
        assert len(cursor.fetchall()) == 1


def test_it_counts_as_a_query_of_the_connection() -> None:
    with CaptureQueriesContext(connection) as captured:
        prepared.fetch(ADD, [1, "a"], using="default")

    assert len(captured.captured_queries) == 1


def test_a_fault_is_an_error_of_django_and_rolls_back() -> None:
    with pytest.raises(ProgrammingError), transaction.atomic():
        prepared.execute("INSERT INTO nowhere VALUES (%s)", [1], using="default")

    assert prepared.fetch(ADD, [1, "a"], using="default") == [(2, "a")]


def test_where_preparing_is_off_it_works_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)

    assert prepared.fetch(ADD, [1, "b"], using="default") == [(2, "b")]
