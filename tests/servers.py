"""Pytest plugin: real PostgreSQL and Valkey for every test (``-p tests.servers``).

Settings read the environment, so all of this happens before Django is set up. The controller starts
the servers and the template; each worker has a clone of its own. Ordinary tests work as the web
role in one transaction; ``fresh_database`` gives committed data and one connection per role.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis
from django.db import connections, router
from pytest_django import DjangoDbBlocker

from portal.embedded.errors import EmbeddedError
from portal.embedded.installation import Installation
from portal.embedded.urls import ALIASES, Servers
from tests import templates
from tests.keeper import CHECKOUT, SESSIONS_LOCK, TEST_PASSWORD, TEST_ROLE, installation
from tests.shared_connection.base import OWNERS

if TYPE_CHECKING:
    from django.db.models import Model

_START_LOCK = CHECKOUT / "var" / "test-start.lock"
_KEEPER_LOG = CHECKOUT / "var" / "test-keeper.log"
_START_SECONDS = 90.0
_VALKEY_PAIRS = 64
_SESSION = "GATEHOUSE_TEST_SESSION"
_TEMPLATE = "GATEHOUSE_TEST_TEMPLATE"


@dataclass(slots=True)
class State:
    """What this process holds until it ends.

    Attributes:
        installation: the shared servers.
        template: what clones are made from.
        clone: this process's own pair.
        servers: addresses of the clone.
        header: lines for pytest's header.
    """

    installation: Installation
    template: templates.Pair
    clone: templates.Pair
    servers: Servers
    header: list[str]


_states: list[State] = []
_locks: list[int] = []


def state() -> State:
    """Return what this process holds."""
    return _states[0]


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start or join the servers and point the environment to our clone, before settings load."""
    try:
        _states.append(_join())
    except (EmbeddedError, templates.TemplateError) as error:
        raise pytest.UsageError(str(error)) from error
    yield  # pytest-django sets Django up
    _share_connections()


def pytest_report_header() -> list[str]:
    """Say how long the servers and the template took."""
    return state().header


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Drop our clone; the servers end by themselves."""
    if _states:
        connections.close_all()
        found = _states.pop()
        templates.drop(found.installation, found.clone)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test all databases, except those that ask for a fresh one."""
    for item in items:
        names = getattr(item, "fixturenames", [])
        if "fresh_database" not in names and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(databases="__all__"))


@dataclass(frozen=True, slots=True)
class FreshDatabase:
    """A committed pair of databases of one test.

    Attributes:
        servers: addresses by role, also for child processes (``servers.environment(...)``).
        installation: gives a superuser's connection (``installation.postgres.connect(name)``).
    """

    servers: Servers
    installation: Installation

    @property
    def environment(self) -> dict[str, str]:
        """All variables a child process of every zone needs."""
        return self.servers.environment(ALIASES) | self.servers.valkey_environment()

    def refuse_rows(self, model: "type[Model]", condition: str = "true") -> None:
        """Let the database refuse new rows of a model, as a broken constraint does.

        Args:
            model: whose table it is.
            condition: SQL on the columns of the refused rows.
        """
        self._alter(model, f"ADD CONSTRAINT refused CHECK (NOT ({condition})) NOT VALID")

    def take_rows_again(self, model: "type[Model]") -> None:
        """Let the database take new rows of a model as before."""
        self._alter(model, "DROP CONSTRAINT refused")

    def _alter(self, model: "type[Model]", change: str) -> None:
        alias = router.db_for_write(model)
        name = self.servers.keys if alias.startswith("keys") else self.servers.main
        with self.installation.postgres.connect(name) as superuser:
            statement = f"ALTER TABLE {model._meta.db_table} {change}"
            superuser.execute(statement.encode())


@pytest.fixture
def fresh_database(django_db_blocker: DjangoDbBlocker) -> Iterator[FreshDatabase]:
    """Give the test its own committed clone, with a real connection per role."""
    found = state()
    pair = templates.clone(found.installation, found.template, f"{found.clone.main}_fresh")
    servers = replace(found.servers, main=pair.main, keys=pair.keys)
    before = _swap_databases(servers)
    try:
        with django_db_blocker.unblock():
            yield FreshDatabase(servers=servers, installation=found.installation)
    finally:
        connections.close_all()
        _restore_databases(before)
        templates.drop(found.installation, pair)


def _join() -> State:
    """Take part in the servers of this checkout."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    found, header = installation(), []
    if worker is None:
        started = time.monotonic()
        how = _start_servers(found)
        header.append(f"servers: {how} in {time.monotonic() - started:.2f} s")
    servers = replace(found.servers, valkey_database=_claim_valkey(found))
    common = _common_environment(found, servers)
    if worker is None:
        template, how = templates.ensure_template(found, common)
        header.append(f"template {template.main}: {how}")
        os.environ |= {_TEMPLATE: template.main, _SESSION: str(os.getpid())}
    template = templates.Pair(os.environ[_TEMPLATE])
    name = f"test_{os.environ[_SESSION]}_{worker or 'n0'}"
    clone = templates.clone(found, template, name)
    servers = replace(servers, main=clone.main, keys=clone.keys)
    os.environ.update(common | _test_login(servers))
    return State(found, template, clone, servers, header)


def _start_servers(found: Installation) -> str:
    """Join the keeper of this checkout, or start one."""
    _START_LOCK.parent.mkdir(exist_ok=True)
    _hold(_START_LOCK, fcntl.LOCK_EX)
    _hold(SESSIONS_LOCK, fcntl.LOCK_SH)
    how = "running, joined"
    if not _both_answer(found):
        how = "started"
        _start_keeper(found)
    templates.drop_abandoned(found)
    os.close(_locks.pop(0))
    return how


def _hold(path: os.PathLike[str], kind: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, kind)
    _locks.append(descriptor)


def _start_keeper(found: Installation) -> None:
    with _KEEPER_LOG.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.keeper"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while not _both_answer(found):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = _KEEPER_LOG.read_text(encoding="utf-8").strip().splitlines() or ["no output"]
            raise EmbeddedError(f"the test servers do not start: {lines[-1]}")
        time.sleep(0.05)


def _both_answer(found: Installation) -> bool:
    """Say whether Valkey, which starts last, and the test login answer."""
    socket, secrets = found.valkey.socket, found.valkey.secrets
    client = redis.Redis(unix_socket_path=str(socket), password=secrets["VALKEY_PASSWORD"])
    try:
        client.ping()
        found.postgres.connect().close()
    except (redis.ConnectionError, psycopg.OperationalError):
        return False
    finally:
        client.close()
    return True


def _claim_valkey(found: Installation) -> int:
    """Return the first of two Valkey databases that no other process uses, emptied."""
    for pair in range(_VALKEY_PAIRS):
        path = CHECKOUT / "var" / f"test-valkey-{pair}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        _locks.append(descriptor)
        _empty_valkey(found, 2 * pair)
        return 2 * pair
    raise EmbeddedError("too many test sessions at once: no Valkey database is free")


def _empty_valkey(found: Installation, first: int) -> None:
    for number in (first, first + 1):
        client = redis.Redis(
            unix_socket_path=str(found.valkey.socket),
            password=found.valkey.secrets["VALKEY_PASSWORD"],
            db=number,
        )
        client.flushdb()
        client.close()


def _common_environment(found: Installation, servers: Servers) -> dict[str, str]:
    return servers.valkey_environment() | {
        "SECRET_KEY": found.postgres.secrets["SECRET_KEY"],
        "ROOT_KEY_FILE": str(found.data.root_key_file),
        "DATA_DIR": str(found.data.path),
        "ZONE": "all",
    }


def _test_login(servers: Servers) -> dict[str, str]:
    """Return all variables with the login that may take each role."""
    password = {f"{TEST_ROLE.upper()}_PASSWORD": servers.secrets[TEST_PASSWORD]}
    login = replace(servers, secrets=dict(servers.secrets) | password)
    return {
        variable: login.database(
            TEST_ROLE, name=servers.keys if "KEYS" in variable else servers.main
        )
        for variable in ALIASES
    }


def _share_connections() -> None:
    for alias, owner in OWNERS.items():
        database = connections.settings[alias]
        database["ENGINE"] = "tests.shared_connection"
        database["TEST"] = {"MIRROR": owner}
        _forget_connection(alias)


def _swap_databases(servers: Servers) -> dict[str, dict[str, object]]:
    """Point every alias to real roles on another pair; return what was there."""
    connections.close_all()
    before = {}
    for alias in connections:
        before[alias] = dict(connections.settings[alias])
        role, database = _role_of(alias)
        connections.settings[alias].update(
            ENGINE="django.db.backends.postgresql",
            NAME=servers.keys if database == "gatehouse_keys" else servers.main,
            USER=role,
            PASSWORD=servers.secrets[f"{role.upper()}_PASSWORD"],
        )
        _forget_connection(alias)
    return before


def _restore_databases(before: dict[str, dict[str, object]]) -> None:
    for alias, database in before.items():
        connections.settings[alias].clear()
        connections.settings[alias].update(database)
        _forget_connection(alias)


def _forget_connection(alias: str) -> None:
    if alias in {wrapper.alias for wrapper in connections.all(initialized_only=True)}:
        del connections[alias]


def _role_of(alias: str) -> tuple[str, str]:
    if alias in {"default", "journal"}:
        role, database = ALIASES["DATABASE_URL"]
    else:
        role, database = ALIASES[f"{alias.upper()}_DATABASE_URL"]
    return role.name, database
