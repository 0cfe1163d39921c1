"""The steps of a start, in order; each failure is one line."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from portal.embedded.child import ChildSpec, spawn
from portal.embedded.errors import EmbeddedError
from portal.embedded.folder import FolderLock, prepare
from portal.embedded.installation import Installation, open_installation
from portal.embedded.urls import ALIASES
from portal.supervision.children import Child
from portal.supervision.options import CHECKOUT, Options, parse
from portal.supervision.plan import Environments, Plan, application_plans, mail_port
from portal.supervision.readiness import ask, refuse_taken_port
from portal.supervision.supervisor import StopRequested, Supervisor
from portal.supervision.terminal import say, step

_READY_WARNING_SECONDS = 30.0
_ASK_SECONDS = 0.5
_SHOWN_LINES = 15
_SETUP_PREFIX = "setup-code: "
_WARNING_PREFIX = "Warning: "


def main(arguments: Sequence[str]) -> int:
    """Run ``serve``; return the exit status."""
    options = parse(arguments)
    supervisor = Supervisor()
    started = time.monotonic()
    try:
        with supervisor.signals():
            prepare(options.data)
            with FolderLock(options.data):
                return _serve(options, supervisor, started)
    except StopRequested:
        supervisor.stop()
        return 1
    except EmbeddedError as error:
        supervisor.stop()
        say(f"Gatehouse cannot start: {error}")
        return 1


def _serve(options: Options, supervisor: Supervisor, started: float) -> int:
    refuse_taken_port(options.port)
    if options.demo:
        refuse_taken_port(mail_port(options))
    if os.geteuid() == 0:
        say("Warning: running as root; only the database servers drop to another account")
    say(f"Starting on {options.data}")
    environments, migrator = _servers(options, supervisor)
    with step("Databases migrated"):
        run_command(["migrate_all"], migrator, "migrations")
    with step("Installation prepared" + (", demo data loaded" if options.demo else "")):
        notes = _prepare_installation(options, environments)
    for plan in reversed(application_plans(options, environments)):
        supervisor.add(Child(plan))
    announcement = Announcement(options=options, started=started, notes=notes)
    return supervisor.run(announcement.on_tick)


def _servers(options: Options, supervisor: Supervisor) -> tuple[Environments, dict[str, str]]:
    """Start the embedded servers, unless the environment names servers of the operator."""
    installation = open_installation(options.data)
    shared = _shared_environment(options, installation)
    if "DATABASE_URL" in os.environ and "VALKEY_URL" in os.environ:
        return _external(shared)
    _start_postgres(installation, supervisor)
    _start_valkey(installation, supervisor)
    servers = installation.servers
    shared = shared | servers.valkey_environment()
    environments = Environments(shared=shared, databases=servers.environment(ALIASES))
    return environments, shared | servers.migrator_environment()


def _start_postgres(installation: Installation, supervisor: Supervisor) -> None:
    server = installation.postgres
    server.stop_orphan()
    with step(f"PostgreSQL {server.binaries.postgres_major} answers"):
        server.initialise()
        plan = Plan(
            name="postgres",
            spec=server.command({}),
            stop_seconds=20,
            stop_signal=signal.SIGINT,
            log=installation.data.services_log,
        )
        child = Child(plan)
        child.start()
        supervisor.add(child)
        _wait(server.wait, child)
    with step("Roles and databases"):
        server.prepare()


def _start_valkey(installation: Installation, supervisor: Supervisor) -> None:
    server = installation.valkey
    server.stop_orphan()
    with step("Valkey answers"):
        plan = Plan(
            name="valkey",
            spec=server.command({}),
            stop_seconds=10,
            log=installation.data.services_log,
        )
        child = Child(plan)
        child.start()
        supervisor.add(child)
        _wait(server.wait, child)


def _wait(wait: Callable[["subprocess.Popen[bytes]"], None], child: Child) -> None:
    if child.process is not None:
        wait(child.process)


def _external(shared: dict[str, str]) -> tuple[Environments, dict[str, str]]:
    """Take databases and cache from the environment, as production does."""
    given = {name: os.environ[name] for name in ALIASES if name in os.environ}
    migrator = {
        name: os.environ[f"MIGRATOR_{name}"]
        for name in ("DATABASE_URL", "KEYS_DATABASE_URL")
        if f"MIGRATOR_{name}" in os.environ
    }
    if not migrator:
        raise EmbeddedError(
            "with DATABASE_URL of your own, set MIGRATOR_DATABASE_URL and "
            "MIGRATOR_KEYS_DATABASE_URL (role gatehouse_migrator) for the migrations too"
        )
    valkey = {name: os.environ[name] for name in ("VALKEY_URL", "BROKER_URL")}
    shared = shared | valkey
    return Environments(shared=shared, databases=given), shared | migrator


def _shared_environment(options: Options, installation: Installation) -> dict[str, str]:
    """Return what all processes of the portal get: no address of any database."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(("DATABASE_URL", "VALKEY_URL", "BROKER_URL"))
    }
    own = {
        "DATA_DIR": str(options.data),
        "ROOT_KEY_FILE": str(installation.data.root_key_file),
        "SECRET_KEY": installation.postgres.secrets["SECRET_KEY"],
        "BASE_URL": options.address,
    }
    if options.demo:
        own |= {"DEMO": "yes", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mail_port(options))}
    fixed = {"PYTHONUNBUFFERED": "1", "TZ": "UTC", "DJANGO_SETTINGS_MODULE": "portal.settings"}
    return own | inherited | fixed | ({"DEMO": "yes"} if options.demo else {"DEMO": "no"})


def _prepare_installation(options: Options, environments: Environments) -> list[str]:
    """Run what an empty installation needs; return the lines to show when all is ready."""
    command = ["prepare_installation", *(["--demo"] if options.demo else [])]
    output = run_command(command, environments.of("all", ALIASES), "preparation")
    for line in output:
        if line.startswith(_WARNING_PREFIX):
            say(line)
    codes = [line.removeprefix(_SETUP_PREFIX) for line in output if line.startswith(_SETUP_PREFIX)]
    notes = [f"First administrator (once, 1 hour): {options.address}{code}" for code in codes]
    if options.demo:
        notes.append(f"Mail: {options.data / 'mail'} and {options.address}/demo/mail/")
    return notes


def run_command(arguments: Sequence[str], environment: Mapping[str, str], what: str) -> list[str]:
    """Run one ``manage.py`` command to its end and return its lines.

    Raises:
        EmbeddedError: it failed; its last lines were printed.
    """
    spec = ChildSpec(
        command=[sys.executable, "manage.py", *arguments],
        environment=environment,
        folder=CHECKOUT,
    )
    process = spawn(spec, output=subprocess.PIPE)
    try:
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        raise
    lines = output.decode(errors="replace").splitlines()
    if process.returncode:
        for line in lines[-_SHOWN_LINES:]:
            say(f"    {line}")
        raise EmbeddedError(f"the {what} failed (see the lines above)")
    return lines


@dataclass(slots=True)
class Announcement:
    """Says once that the portal is ready, or from time to time why it is not.

    Attributes:
        options: of this start.
        started: when it began, monotonic.
        notes: lines to print with it.
    """

    options: Options
    started: float
    notes: list[str]
    _done: bool = False
    _asked_at: float = 0.0
    _warned_at: float = field(default_factory=time.monotonic)

    def on_tick(self) -> None:
        """Ask the portal, unless it was ready before."""
        now = time.monotonic()
        if self._done or now - self._asked_at < _ASK_SECONDS:
            return
        self._asked_at = now
        why_not = ask(self.options.port)
        if not why_not:
            self._done = True
            self._announce()
        elif now - self._warned_at > _READY_WARNING_SECONDS:
            self._warned_at = now
            say(f"Not ready yet: {why_not}")

    def _announce(self) -> None:
        say(f"  Portal ready after {time.monotonic() - self.started:.1f} s")
        say("")
        say(f"Ready: {self.options.address}/")
        for note in self.notes:
            say(note)
        say("Stop: Ctrl-C")
