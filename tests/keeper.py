"""Holds the test servers while any test session of this checkout runs.

Several sessions may share one cluster, and each may be killed; so the servers are children of this
small process and not of a session. It ends by itself when no session has been there for a while.
"""

import fcntl
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from psycopg import sql

from portal.embedded import roles
from portal.embedded.child import Process
from portal.embedded.errors import EmbeddedError
from portal.embedded.folder import FolderLock, default_path
from portal.embedded.installation import Installation, open_installation
from portal.embedded.postgres import UNSAFE_TEST_OPTIONS

CHECKOUT = Path(__file__).resolve().parent.parent
TEST_ROLE = "gatehouse_test"
TEST_PASSWORD = "GATEHOUSE_TEST_PASSWORD"
SESSIONS_LOCK = CHECKOUT / "var" / "test-sessions.lock"

_IDLE_SECONDS = 60.0
_POSTGRES = UNSAFE_TEST_OPTIONS | {"max_connections": "200", "shared_buffers": "128MB"}
_VALKEY = {"databases": "128", "appendonly": "no"}


def installation() -> Installation:
    """Return the installation of the tests, made if it is not there."""
    path = default_path(CHECKOUT, purpose="test")
    return open_installation(path, more_secrets=[TEST_PASSWORD])


def main() -> int:
    """Run both servers until nobody needs them."""
    found = installation()
    with FolderLock(found.data.path):
        found.postgres.stop_orphan()
        found.valkey.stop_orphan()
        log = found.open_log()
        try:
            postgres = _start_postgres(found, log)
        except EmbeddedError:
            shutil.rmtree(found.postgres.cluster)  # a test cluster is worth nothing
            postgres = _start_postgres(found, log)
        valkey = found.valkey.start(log, _VALKEY)
        found.valkey.wait(valkey)
        _wait_while_needed(postgres, valkey)
        _stop(postgres, valkey)
    return 0


def _start_postgres(found: Installation, log: int) -> Process:
    found.postgres.initialise()
    process = found.postgres.start(log, _POSTGRES)
    found.postgres.wait(process)
    found.postgres.prepare()
    _create_test_role(found)
    return process


def _create_test_role(found: Installation) -> None:
    """Create the login of ordinary tests: it has no rights but may take each role."""
    with found.postgres.connect() as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [TEST_ROLE])
        if known.fetchone() is None:
            password = sql.Literal(found.postgres.secrets[TEST_PASSWORD])
            statement = sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(TEST_ROLE), password))
        for role in roles.ROLES:
            grant = sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE")
            connection.execute(grant.format(sql.Identifier(role.name), sql.Identifier(TEST_ROLE)))


def _wait_while_needed(*servers: Process) -> None:
    SESSIONS_LOCK.parent.mkdir(exist_ok=True)
    descriptor = os.open(SESSIONS_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    idle_since = time.monotonic()
    while all(server.poll() is None for server in servers):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            idle_since = time.monotonic()
        else:
            if time.monotonic() - idle_since > _IDLE_SECONDS:
                return  # the lock is kept until we end: a new session waits and starts its own
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(1)


def _stop(postgres: Process, valkey: Process) -> None:
    for process, how in ((valkey, signal.SIGTERM), (postgres, signal.SIGINT)):
        if process.poll() is None:
            process.send_signal(how)
            process.wait(timeout=20)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EmbeddedError as error:
        sys.exit(str(error))
