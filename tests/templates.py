"""Template databases, made once per state of the migrations, and their clones."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import django
from psycopg import sql

from portal.embedded import roles
from portal.embedded.installation import Installation
from portal.embedded.urls import Servers
from tests.keeper import CHECKOUT, TEST_ROLE

_LOCK = 7_316_001
_KEPT_TEMPLATES = 6
# Besides migrations: what they call, and which apps there are.
_SOURCES = (
    "*/migrations/*.py",
    "*/*/migrations/*.py",
    "*/*/migrations/*.sql",
    "*/sql/*.sql",
    "foundation/tenancy.py",
    "encryption/router.py",
    "portal/embedded/roles.py",
    "portal/settings/*.py",
    "requirements.txt",
)


class TemplateError(RuntimeError):
    """``manage.py migrate`` failed; the message holds its last lines."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Names of a main database and its database of keys."""

    main: str

    @property
    def keys(self) -> str:
        """The second one."""
        return f"{self.main}_keys"

    def both(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Return each name with the database whose rights it has."""
        return (self.main, roles.MAIN), (self.keys, roles.KEYS)


def ensure_template(installation: Installation, environment: dict[str, str]) -> tuple[Pair, str]:
    """Return the template of the present migrations, and how it came about.

    Raises:
        TemplateError: the migrations do not run.
    """
    pair = Pair(f"tmpl_{_fingerprint()}")
    with installation.postgres.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if _exists(connection, pair.keys):
            return pair, "reused"
        started = time.monotonic()
        building = Pair(f"{pair.main}_wip")
        _drop(connection, pair.main, building.main, building.keys)
        _build(installation, building, environment)
        _rename(connection, building.main, pair.main)
        _rename(connection, building.keys, pair.keys)  # last: its name says that both are whole
        _forget_old(connection)
    return pair, f"built in {time.monotonic() - started:.1f} s"


def clone(installation: Installation, template: Pair, name: str) -> Pair:
    """Make a pair of databases like the template; replaces an older pair of that name."""
    pair = Pair(name)
    with installation.postgres.connect() as connection:
        _drop(connection, pair.main, pair.keys)
        for (source, like), (target, _) in zip(template.both(), pair.both(), strict=True):
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log")
            connection.execute(statement.format(sql.Identifier(target), sql.Identifier(source)))
            _open_to_tests(connection, target, like)
    return pair


def drop(installation: Installation, pair: Pair) -> None:
    """Remove a pair, whoever is still connected."""
    with installation.postgres.connect() as connection:
        _drop(connection, pair.main, pair.keys)


def drop_abandoned(installation: Installation) -> None:
    """Remove the clones of sessions that no longer live (``test_<process>_...``)."""
    with installation.postgres.connect() as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'")
        for (name,) in names.fetchall():
            process = str(name).split("_")[1]
            if process.isdigit() and not Path(f"/proc/{process}").exists():
                _drop(connection, str(name))


def _fingerprint() -> str:
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    digest = sha256(f"{django.__version__} {settings}".encode())
    for path in _source_files():
        digest.update(str(path.relative_to(CHECKOUT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _source_files() -> Iterator[Path]:
    for pattern in _SOURCES:
        yield from sorted(path for path in CHECKOUT.glob(pattern) if ".venv" not in path.parts)


def _build(installation: Installation, pair: Pair, environment: dict[str, str]) -> None:
    with installation.postgres.connect() as connection:
        for name, like in pair.both():
            _run(connection, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)
            roles.limit_connections(connection, name, like=like)
    for name, like in pair.both():
        with installation.postgres.connect(name) as connection:
            roles.set_default_privileges(connection, like=like)
    servers = installation.servers
    target = Servers(
        postgres_sockets=servers.postgres_sockets,
        valkey_socket=servers.valkey_socket,
        secrets=servers.secrets,
        main=pair.main,
        keys=pair.keys,
    )
    _migrate(os.environ | environment | target.migrator_environment())


def _migrate(environment: dict[str, str]) -> None:
    for name in tuple(environment):
        if name.endswith("_DATABASE_URL") and name != "KEYS_DATABASE_URL":
            del environment[name]
    command = [sys.executable, "manage.py", "migrate_all"]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        tail = "\n    ".join(lines[-12:])
        raise TemplateError(f"the test databases cannot be built, migrate failed:\n    {tail}")


def _open_to_tests(connection: roles.Connection, name: str, like: str) -> None:
    """Mark the clone as a test database and let the test login in, as the web role."""
    roles.limit_connections(connection, name, like=like)
    role = roles.APP.name if like == roles.MAIN else roles.KEYS_ROLE.name
    _run(connection, "GRANT CONNECT ON DATABASE {} TO {}", name, TEST_ROLE)
    _run(connection, "ALTER DATABASE {} SET gatehouse.is_test = 'on'", name)
    _run(connection, "ALTER ROLE {} IN DATABASE {} SET role = {}", TEST_ROLE, name, role)


def _exists(connection: roles.Connection, name: str) -> bool:
    found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _drop(connection: roles.Connection, *names: str) -> None:
    for name in names:
        _run(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _rename(connection: roles.Connection, old: str, new: str) -> None:
    _run(connection, "ALTER DATABASE {} RENAME TO {}", old, new)


def _forget_old(connection: roles.Connection) -> None:
    found = connection.execute(
        "SELECT datname FROM pg_database WHERE datname LIKE 'tmpl\\_%' ORDER BY oid DESC"
    )
    names = [str(row[0]) for row in found.fetchall()]
    _drop(connection, *names[2 * _KEPT_TEMPLATES :])


def _run(connection: roles.Connection, text: str, *names: str) -> None:
    connection.execute(sql.SQL(text).format(*map(sql.Identifier, names)))
