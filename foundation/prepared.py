"""Statements that every request sends: written out, and prepared once per connection.

Django composes a statement anew each time and PostgreSQL parses and plans it anew. For the few
that stand in the way of every request or every recorded act, both cost more than the answer
(docs/reference/benchmarks.md). ``DATABASE_PREPARE=false`` switches preparing off, for poolers that
cannot do it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, cast

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

Row = tuple[object, ...]


def execute(statement: str, parameters: Sequence[object], *, using: str) -> None:
    """Run a statement that gives no rows, with all that Django does around one."""
    with _cursor(using) as cursor:
        cursor.execute(statement, cast("Sequence[str]", parameters))  # the stubs know few types


def fetch(statement: str, parameters: Sequence[object], *, using: str) -> list[Row]:
    """Run a statement and return its rows, with all that Django does around one."""
    with _cursor(using) as cursor:
        cursor.execute(statement, cast("Sequence[str]", parameters))
        return cast("list[Row]", cursor.fetchall())


class _Prepared(psycopg.Cursor[Row]):
    """Prepares what it executes, where the connection allows it (``prepare_threshold``)."""

    def execute(  # type: ignore[override]  # Django passes these two
        self, query: str, params: Sequence[object] | None = None
    ) -> Self:
        """Run a statement under its prepared name."""
        return super().execute(query.encode(), params, prepare=True)


class _Wrapper(BaseDatabaseWrapper):
    """The parts of Django's wrapper that its type stubs leave out."""

    connection: psycopg.Connection[Row]

    _prepare_cursor: Callable[[_Prepared], "CursorWrapper"]


@contextmanager
def _cursor(using: str) -> Iterator["CursorWrapper"]:
    """Do what Django's ``_cursor`` does, with another cursor of the driver inside.

    Where statements are logged, Django's own cursor is used: it logs them with their values.
    """
    wrapper = cast("_Wrapper", connections[using])
    with wrapper.cursor() if wrapper.queries_logged else _made(wrapper) as cursor:
        yield cursor


def _made(wrapper: _Wrapper) -> "CursorWrapper":
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    with wrapper.wrap_database_errors:
        return wrapper._prepare_cursor(_Prepared(wrapper.connection))  # noqa: SLF001
