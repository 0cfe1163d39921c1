"""Connections of roles to a committed database."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from encryption.services import drop_keys
from foundation.identifiers import uuid7
from tests.servers import FreshDatabase

Connection = psycopg.Connection[tuple[object, ...]]
Connect = Callable[[str], Connection]

INSERT = (
    "INSERT INTO audit_event (event_id, writer, type, outcome, severity, retention, schema_ver,"
    " actor_type, actor_id, target_type, target_id, body, mac)"
    " VALUES (%s, 1, %s, 'success', 1, 'security', 1, 'system', %s, %s, %s, '{}',"
    " decode(repeat('00', 32), 'hex'))"
)


@pytest.fixture
def connect(fresh_database: FreshDatabase) -> Iterator[Connect]:
    """Give connections by role; ``gatehouse_root`` is the superuser."""
    opened: list[Connection] = []

    def connect_as(role: str) -> Connection:
        address = fresh_database.servers.database(role, name=fresh_database.servers.main)
        if role == "gatehouse_root":
            postgres = fresh_database.installation.postgres
            opened.append(postgres.connect(fresh_database.servers.main))
        else:
            opened.append(psycopg.connect(address, autocommit=True))
        return opened[-1]

    yield connect_as
    for connection in opened:
        connection.close()


def insert(
    connection: Connection,
    code: str = "audit.test.changed",
    *,
    actor: object = None,
    target: tuple[str, str] | tuple[None, None] = (None, None),
) -> None:
    """Write one entry as the web role does, without the project's code."""
    connection.execute(INSERT, [uuid7(), code, actor, *target])


@pytest.fixture(autouse=True)
def no_cached_keys() -> Iterator[None]:
    """Forget keys, which the rollback of each test takes out of the database."""
    drop_keys()
    yield
    drop_keys()
