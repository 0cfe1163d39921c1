"""Connections of roles to a committed database, and keys that are forgotten between tests."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.rows import TupleRow

from encryption.services import drop_keys
from portal.embedded.roles import KEYS, SUPERUSER
from tests.servers import FreshDatabase

Connection = psycopg.Connection[TupleRow]
Connect = Callable[..., Connection]


@pytest.fixture
def connect(fresh_database: FreshDatabase) -> Iterator[Connect]:
    """Give connections by role, outside of the product's code."""
    opened: list[Connection] = []

    def connect_as(role: str, database: str = "") -> Connection:
        servers = fresh_database.servers
        name = servers.keys if database == KEYS else servers.main
        if role == SUPERUSER:
            opened.append(fresh_database.installation.postgres.connect(name))
        else:
            opened.append(psycopg.connect(servers.database(role, name=name), autocommit=True))
        return opened[-1]

    yield connect_as
    for connection in opened:
        connection.close()


@pytest.fixture(autouse=True)
def no_cached_keys() -> Iterator[None]:
    """Forget keys, which the end of each test takes out of the database."""
    drop_keys()
    yield
    drop_keys()
