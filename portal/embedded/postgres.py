"""The embedded PostgreSQL: made once, started as a foreground child."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from portal.embedded import orphans, roles
from portal.embedded.binaries import Binaries
from portal.embedded.child import ChildSpec, Process, base_environment, spawn
from portal.embedded.errors import EmbeddedError
from portal.embedded.folder import DataFolder
from portal.embedded.urls import password_name

START_SECONDS = 60.0
_INITDB_SECONDS = 120.0
_FIRST_BUILTIN_LOCALE = 17
# Only for clusters that may be thrown away at any time.
UNSAFE_TEST_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster in a data folder.

    Attributes:
        folder: the data folder.
        binaries: programs to run it with.
        secrets: what ``secrets.env`` holds.
    """

    folder: DataFolder
    binaries: Binaries
    secrets: Mapping[str, str]

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder (``PGDATA``)."""
        return self.folder.postgres / "cluster"

    def initialise(self) -> bool:
        """Make the cluster unless it exists; say whether it was made.

        Raises:
            EmbeddedError: it exists in another major version, or cannot be made.
        """
        if (self.cluster / "PG_VERSION").is_file():
            self._check_version()
            return False
        partial = self.folder.postgres / "cluster.partial"
        shutil.rmtree(partial, ignore_errors=True)
        self._run_initdb(partial)
        partial.rename(self.cluster)
        return True

    def command(self, options: Mapping[str, str]) -> ChildSpec:
        """Return how to start the server in the foreground."""
        settings = {"listen_addresses": "", "max_connections": "60"} | dict(options)
        command: list[str | Path] = [self.binaries.postgres_bin / "postgres", "-D", self.cluster]
        command += ["-k", self.folder.sockets]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return ChildSpec(
            command=command,
            environment=base_environment(),
            death_signal=signal.SIGINT,
            user=self.folder.user,
        )

    def stop_orphan(self) -> None:
        """Stop a server that outlived a killed supervisor."""
        orphans.stop_postgres(self.cluster)

    def start(self, output: int | IO[bytes], options: Mapping[str, str]) -> Process:
        """Start the server; :meth:`wait` says when it answers."""
        return spawn(self.command(options), output=output)

    def wait(self, process: Process) -> None:
        """Wait until the server answers a query.

        Raises:
            EmbeddedError: it ended, does not answer in time, or refuses the password.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if process.poll() is not None:
                raise EmbeddedError(
                    f"PostgreSQL ended at once; its last lines are in {self.folder.services_log}"
                )
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL does not answer after {START_SECONDS:.0f} s")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Say whether a query is answered.

        Raises:
            EmbeddedError: the password is refused.
        """
        try:
            with self.connect() as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise EmbeddedError(
                    f"{self.folder.secrets_file} does not fit the database beside it "
                    "(wrong password); put the right file back"
                ) from error
            return False
        return True

    def connect(self, database: str = "postgres") -> roles.Connection:
        """Return a superuser's connection, autocommit."""
        return psycopg.connect(
            host=str(self.folder.sockets),
            user=roles.SUPERUSER,
            password=self.secrets[password_name(roles.SUPERUSER)],
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def prepare(self) -> None:
        """Create roles and both databases; may run at every start."""
        passwords = {
            role.name: self.secrets[password_name(role.name)] for role in roles.LOGIN_ROLES
        }
        with self.connect() as connection:
            roles.create_roles(connection, passwords)
            roles.create_databases(connection)
        for name in (roles.MAIN, roles.KEYS):
            with self.connect(name) as connection:
                roles.set_default_privileges(connection, like=name)

    def _check_version(self) -> None:
        found = (self.cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        if found != self.binaries.postgres_major:
            raise EmbeddedError(
                f"The data in {self.cluster} were written by PostgreSQL {found}, this release runs "
                f"{self.binaries.postgres_major}; run: python manage.py embedded_upgrade"
            )

    def _run_initdb(self, target: Path) -> None:
        reading = self._password_pipe()
        command: list[str | Path] = [self.binaries.postgres_bin / "initdb", "-D", target]
        command += ["-U", roles.SUPERUSER, f"--pwfile=/dev/fd/{reading}", "--auth=scram-sha-256"]
        command += ["-E", "UTF8", "--no-instructions", *_locale(self.binaries.postgres_major)]
        spec = ChildSpec(
            command=command,
            environment=base_environment(),
            user=self.folder.user,
            pass_descriptors=(reading,),
        )
        process = spawn(spec, output=subprocess.PIPE)
        try:
            output, _ = process.communicate(timeout=_INITDB_SECONDS)
        finally:
            os.close(reading)
        if process.returncode:
            raise EmbeddedError(f"initdb failed: {_last_line(output)}")

    def _password_pipe(self) -> int:
        """Return the reading end of a pipe that holds the superuser's password.

        The server's account must own the pipe, or it could not open it again by ``/dev/fd``.
        """
        reading, writing = os.pipe()
        os.fchown(reading, self.folder.user.uid, self.folder.user.gid)
        os.write(writing, self.secrets[password_name(roles.SUPERUSER)].encode() + b"\n")
        os.close(writing)
        return reading


def _locale(major: str) -> Iterable[str]:
    if int(major) >= _FIRST_BUILTIN_LOCALE:
        return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ("--locale-provider=libc", "--locale=C.UTF-8")


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "no output"
