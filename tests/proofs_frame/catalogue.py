"""What PostgreSQL's own catalogue says about tables, policies and rights."""

from dataclasses import dataclass

from psycopg import sql

from foundation.tenancy import SETTING
from tests.proofs_frame.conftest import Connection

COLUMN = "organisation_id"

_TABLES = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, EXISTS (
    SELECT FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attname = %s AND NOT a.attisdropped)
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the real schema.

    Attributes:
        name: of the table.
        is_walled: whether row-level security is on and binds its owner too.
        has_organisation: whether its rows belong to an organisation.
    """

    name: str
    is_walled: bool
    has_organisation: bool


def tables(connection: Connection) -> list[Table]:
    """Return every table, partitions left out."""
    rows = connection.execute(_TABLES, [COLUMN]).fetchall()
    return [
        Table(str(name), bool(enabled and forced), bool(owned))
        for name, enabled, forced, owned in rows
    ]


def walled_tables(connection: Connection) -> list[str]:
    """Return the tables whose rows the database itself keeps apart."""
    return [table.name for table in tables(connection) if table.is_walled]


def conditions(connection: Connection, table: str) -> set[tuple[str, str, str]]:
    """Return (roles, command, condition) of each policy of a table."""
    rows = connection.execute(
        "SELECT array_to_string(roles, ','), cmd, qual FROM pg_policies WHERE tablename = %s",
        [table],
    ).fetchall()
    return {(str(roles), str(command), str(condition)) for roles, command, condition in rows}


def count(connection: Connection, table: str, *, setting: object = "") -> int:
    """Count rows with the setting of an organisation; the empty one is that of nobody."""
    connection.execute("SELECT set_config(%s, %s, false)", [SETTING, str(setting)])
    statement = sql.SQL("SELECT count({}) FROM {}").format(
        sql.Identifier(COLUMN), sql.Identifier(table)
    )
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def columns(connection: Connection, table: str) -> list[str]:
    """Return the columns of a table, in order."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum",
        [table],
    ).fetchall()
    return [str(row[0]) for row in rows]
