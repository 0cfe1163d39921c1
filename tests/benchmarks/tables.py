"""Tables of the benchmarks in a database of their own: made, emptied, analysed."""

from collections.abc import Sequence
from typing import cast

from django.db import connections, models
from django.db.migrations.state import ProjectState
from psycopg import sql

from encryption.key_tables import BlindIndexEntry
from foundation.tenancy import ModelOperation
from tests.servers import FreshDatabase


def create(
    database: FreshDatabase,
    *made: type[models.Model],
    steps: Sequence[tuple[type[models.Model], ModelOperation]] = (),
) -> None:
    """Create the tables of some models as the migrations' role would, with further steps."""
    with connections["default"].schema_editor(collect_sql=True, atomic=False) as editor:
        for model in made:
            editor.create_model(model)
    statements = [str(line) for line in editor.collected_sql]
    for model, step in steps:
        statements += step.statements(model, ProjectState())
    with database.installation.postgres.connect(database.servers.main) as connection:
        connection.execute("SET ROLE gatehouse_migrator")
        for statement in statements:
            connection.execute(statement.encode())


def empty(database: FreshDatabase, *emptied: type[models.Model]) -> None:
    """Empty some tables and the blind index, leaving no dead rows behind."""
    models_of: list[type[models.Model]] = [*emptied, BlindIndexEntry]
    names = [model._meta.db_table for model in models_of]
    tables = sql.SQL(", ").join(map(sql.Identifier, names))
    with database.installation.postgres.connect(database.servers.main) as connection:
        connection.execute(sql.SQL("TRUNCATE {}").format(tables))


def analyse(database: FreshDatabase) -> None:
    """Bring the planner's figures up to date; the test servers run without autovacuum."""
    with database.installation.postgres.connect(database.servers.main) as connection:
        connection.execute("VACUUM ANALYZE")


def size(database: FreshDatabase, table: str, *, within: str = "") -> int:
    """Return the bytes of a table with its indexes.

    Args:
        database: of the benchmark.
        table: its name.
        within: name of another database on the same server.
    """
    with database.installation.postgres.connect(within or database.servers.main) as connection:
        given = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [f'"{table}"'])
        ((found,),) = given.fetchall()
    return cast("int", found)
