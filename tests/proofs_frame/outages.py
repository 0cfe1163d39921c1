"""A real portal whose database server, cache and root key the test holds in its hands."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from encryption.providers import key_file
from portal.demo.people import DemoPerson
from portal.embedded.child import Process
from portal.embedded.installation import Installation, open_installation
from portal.embedded.roles import KEYS, MAIN
from portal.embedded.urls import ALIASES
from portal.supervision.readiness import ask
from tests.e2e.stack import ROOT, Stack, running_stack

PUBLIC_NAME = "portal.example.test"
RECOVERY_SECONDS = 60.0
START_OPTIONS = {"fsync": "off", "max_connections": "60"}


@dataclass(slots=True)
class Servers:
    """PostgreSQL and Valkey outside of the portal's supervisor, as production has them."""

    installation: Installation
    running: dict[str, Process] = field(default_factory=dict)

    def start_postgres(self) -> None:
        """Start the database server and wait for it."""
        server = self.installation.postgres
        self.running["postgres"] = self._started(lambda log: server.start(log, START_OPTIONS))
        server.wait(self.running["postgres"])

    def start_valkey(self) -> None:
        """Start the cache and wait for it."""
        server = self.installation.valkey
        self.running["valkey"] = self._started(lambda log: server.start(log, {}))
        server.wait(self.running["valkey"])

    def stop(self, name: str) -> None:
        """Stop a server at once; its connections break."""
        process = self.running.pop(name)
        os.kill(process.pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
        process.wait(timeout=30)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Leave a server away for the time of the block."""
        self.stop(name)
        try:
            yield
        finally:
            {"postgres": self.start_postgres, "valkey": self.start_valkey}[name]()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Hold a server still: connections stay open and nothing answers."""
        parent = self.running[name].pid
        held = [parent, *_children(parent)]
        for process in held:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in held:
                os.kill(process, signal.SIGCONT)

    @contextmanager
    def without_keys_database(self) -> Iterator[None]:
        """Let nobody into the keys database and end the sessions that are in it."""
        self._admit_to_keys(admitted=False)
        try:
            yield
        finally:
            self._admit_to_keys(admitted=True)

    def environment(self) -> dict[str, str]:
        """Return what the operator of external servers sets."""
        servers = self.installation.servers
        migrator = servers.migrator_environment()
        return {
            **servers.environment(ALIASES),
            **servers.valkey_environment(),
            **{f"MIGRATOR_{name}": address for name, address in migrator.items()},
            "ALLOWED_HOSTS": f"localhost,{PUBLIC_NAME}",
        }

    def row_counts(self) -> dict[str, int]:
        """Count the rows of every table of both databases, outside the product's code."""
        found = {}
        for database in (MAIN, KEYS):
            with self.installation.postgres.connect(database) as connection:
                names = connection.execute(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' "
                    "AND relnamespace = 'public'::regnamespace"
                ).fetchall()
                for (name,) in names:
                    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(str(name)))
                    row = connection.execute(query).fetchone()
                    found[str(name)] = int(str(row[0])) if row else 0
        return found

    def _started(self, start: Callable[[int], Process]) -> Process:
        log = self.installation.open_log()
        try:
            return start(log)
        finally:
            os.close(log)

    def _admit_to_keys(self, *, admitted: bool) -> None:
        with self.installation.postgres.connect(MAIN) as connection:
            statement = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
            connection.execute(
                sql.SQL(statement).format(sql.Identifier(KEYS), sql.Literal(admitted))
            )
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [KEYS]
            )


@dataclass(slots=True)
class Portal:
    """The running portal with its servers.

    Attributes:
        servers: what it needs.
        stack: its supervisor and processes.
        people: made-up people of the demo, by first name.
    """

    servers: Servers
    stack: Stack
    people: dict[str, DemoPerson]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.stack.address.rpartition(":")[2])

    @property
    def root_key(self) -> Path:
        """The file of the root key."""
        return self.stack.data / "root.key"

    def why_not_ready(self) -> str:
        """Return an empty text if it is ready, else what it answers on this machine."""
        return ask(self.port)

    def wait_until_ready(self) -> float:
        """Wait for the recovery; return the seconds it took."""
        started = time.monotonic()
        while self.why_not_ready():
            if time.monotonic() - started > RECOVERY_SECONDS:
                lines = "\n".join(self.stack.output[-30:])
                raise AssertionError(f"no recovery: {self.why_not_ready()}\n{lines}")
            time.sleep(0.3)
        return time.monotonic() - started

    def web_process(self) -> int:
        """Return the id of the web server, which is another after a restart."""
        return min(_processes(self.stack.data, "granian"))

    def restart_web(self) -> None:
        """Kill the web server, so that it starts anew with nothing cached."""
        before = self.web_process()
        os.killpg(before, signal.SIGKILL)
        deadline = time.monotonic() + RECOVERY_SECONDS
        while before in (now := _processes(self.stack.data, "granian")) or not now:
            assert time.monotonic() < deadline, "the web server does not come back"
            time.sleep(0.2)
        while "no answer" in self.why_not_ready():
            assert time.monotonic() < deadline, "the web server does not listen"
            time.sleep(0.2)

    @contextmanager
    def wrong_root_key(self) -> Iterator[None]:
        """Put a root key into the file that is none of this installation."""
        right = self.root_key.with_suffix(".right")
        self.root_key.rename(right)
        key_file.create(self.root_key)
        try:
            yield
        finally:
            right.replace(self.root_key)


@contextmanager
def running_portal(settings: Mapping[str, str] | None = None) -> Iterator[Portal]:
    """Start servers and portal on empty folders, with some settings more."""
    place = Path(tempfile.mkdtemp(prefix="gatehouse-test-", dir="/var/tmp"))
    place.chmod(0o711)
    servers = Servers(open_installation(place / "servers"))
    try:
        servers.installation.postgres.initialise()
        servers.start_postgres()
        servers.installation.postgres.prepare()
        servers.start_valkey()
        extra = {**servers.environment(), "TEST_CLOCK": "no", **(settings or {})}
        with running_stack(place / "data", extra=extra, options=("--demo",)) as stack:
            yield Portal(servers, stack, _people(stack.data))
    finally:
        for name in tuple(servers.running):
            servers.stop(name)
        shutil.rmtree(place, ignore_errors=True)


def places_that_stay_inside(portal: Portal) -> list[str]:
    """Return words of an answer that would tell outsiders how the machine is built."""
    servers = portal.servers.installation
    passwords = [value for name, value in servers.postgres.secrets.items() if "PASSWORD" in name]
    return [
        "Traceback",
        'File "',
        "psycopg",
        "redis",
        "OperationalError",
        "Exception",
        "gatehouse_",
        "SELECT ",
        str(ROOT),
        str(portal.stack.data),
        str(servers.data.sockets),
        *passwords,
    ]


def _people(data: Path) -> dict[str, DemoPerson]:
    found = [DemoPerson(**item) for item in json.loads((data / "demo.json").read_text("utf-8"))]
    return {person.email.split(".")[0]: person for person in found}


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(number) for number in text.split()]


def _processes(data: Path, part: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if part in command and f"DATA_DIR={data}".encode() in environment:
            found.append(int(folder.name))
    return found
