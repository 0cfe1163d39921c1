"""Real ``pg_dump`` and ``pg_restore`` of both databases, and this process between the copies."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from encryption import services
from portal.embedded import roles
from portal.embedded.binaries import from_wheels, postgres_major
from portal.embedded.installation import Installation
from portal.embedded.urls import Servers

KEY_ALIASES = ("keys", "keys_vault")


@dataclass(frozen=True, slots=True)
class Backup:
    """One dump of each database.

    Attributes:
        data: dump of the main database.
        keys: dump of the keys database.
        taken_at: when it was begun, by the clock of the keys database.
    """

    data: Path
    keys: Path
    taken_at: datetime


@dataclass(slots=True)
class Backups:
    """Dumps and restores the databases of a test.

    Attributes:
        installation: the servers.
        servers: names and passwords of the databases.
        folder: where dumps go.
    """

    installation: Installation
    servers: Servers
    folder: Path
    _restored: list[str] = field(default_factory=list)

    def take(self, name: str) -> Backup:
        """Dump both databases as the backup role does, rows of the blind index included."""
        with self.installation.postgres.connect(self.servers.keys) as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        taken_at = row[0] if row else None
        assert isinstance(taken_at, datetime)
        return Backup(
            data=self._dump(self.servers.main, f"{name}-data.dump"),
            keys=self._dump(self.servers.keys, f"{name}-keys.dump"),
            taken_at=taken_at,
        )

    def restore_data(self, backup: Backup, name: str) -> str:
        """Restore the main database beside the others; return its name."""
        return self._restore(backup.data, f"{self.servers.main}_{name}", like=roles.MAIN)

    def restore_keys(self, backup: Backup, name: str) -> str:
        """Restore the keys database beside the others; return its name."""
        return self._restore(backup.keys, f"{self.servers.main}_{name}", like=roles.KEYS)

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """Open a connection outside the product's code."""
        return self.installation.postgres.connect(database)

    @contextmanager
    def using(self, *, data: str = "", keys: str = "") -> Iterator[None]:
        """Let this process work on restored databases, with no key in memory."""
        with pytest.MonkeyPatch.context() as patch:
            _forget()
            for alias in connections:
                name = keys if alias in KEY_ALIASES else data
                if name:
                    patch.setitem(connections[alias].settings_dict, "NAME", name)
            yield
            connections.close_all()
        _forget()

    def drop_restored(self) -> None:
        """Remove what was restored."""
        with self.installation.postgres.connect() as connection:
            for name in self._restored:
                statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(statement.format(sql.Identifier(name)))

    def _dump(self, database: str, file: str) -> Path:
        target = self.folder / file
        self._run("pg_dump", roles.BACKUP.name, ["--format=custom", f"--file={target}", database])
        return target

    def _restore(self, dump: Path, name: str, *, like: str) -> str:
        with self.installation.postgres.connect() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
            connection.execute(statement.format(sql.Identifier(name)))
            self._restored.append(name)
            roles.limit_connections(connection, name, like=like)
        with self.installation.postgres.connect(name) as connection:
            roles.set_default_privileges(connection, like=like)
        options = ["--exit-on-error", f"--dbname={name}", str(dump)]
        self._run("pg_restore", roles.SUPERUSER, options)
        return name

    def _run(self, program: str, role: str, options: list[str]) -> None:
        folder = from_wheels(postgres_major()).postgres_bin
        command = [str(folder / program), f"--host={self.installation.data.sockets}"]
        command += [f"--username={role}", "--no-password", *options]
        password = self.installation.postgres.secrets[f"{role.upper()}_PASSWORD"]
        environment = {"PGPASSWORD": password, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr


def _forget() -> None:
    connections.close_all()
    services.drop_keys()
