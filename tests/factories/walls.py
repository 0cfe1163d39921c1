"""Look at a table by raw SQL, as the web role does that has found a hole in our code."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection
from psycopg import sql

from foundation.tenancy import SETTING


def rows_seen(table: str, *, organisation_id: UUID | None = None) -> int:
    """Count the rows of a table with the setting of one organisation, or without any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, str(organisation_id or "")])
        cursor.execute(sql.SQL("SELECT count(id) FROM {}").format(sql.Identifier(table)))
        (found,) = cursor.fetchone() or (0,)
    return int(found)


@contextmanager
def row_security_off(table: str) -> Iterator[None]:
    """Switch a table's row security off as its owner, inside the test's transaction."""
    _as_owner(table, "NO FORCE", "DISABLE")
    try:
        yield
    finally:
        _as_owner(table, "FORCE", "ENABLE")


def _as_owner(table: str, *words: str) -> None:
    name = sql.Identifier(table)
    with connection.cursor() as cursor:
        # A table with unchecked deferred constraints cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE gatehouse_migrator")
        for word in words:
            cursor.execute(
                sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(name, sql.SQL(word))
            )
        cursor.execute("SET LOCAL ROLE gatehouse_app")
