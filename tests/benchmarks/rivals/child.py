"""Starts a rival's process and asks it to run, so that its rounds lie between ours."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg import sql

from tests.benchmarks.measuring import Taken
from tests.servers import FreshDatabase

ROOT = Path(__file__).resolve().parents[3]
ROLE = "gatehouse_migrator"


class Rival:
    """A rival with an empty database of its own on the same server.

    Args:
        package: its folder under ``tests/benchmarks/rivals``.
        database: of the benchmark; the rival's is made beside it.
        python: interpreter of its environment; without one it shares ours.
        more: further variables of its environment.
    """

    def __init__(
        self,
        package: str,
        database: FreshDatabase,
        *,
        python: Path = Path(sys.executable),
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._package = package
        self._python = python
        self._more = more or {}
        self._installation = database.installation
        self._name = "_".join((database.servers.main, package, *self._more.values()))[:63]
        self._secrets = database.servers.secrets
        self._sockets = database.servers.postgres_sockets

    def __enter__(self) -> Self:
        """Make the database and start the process."""
        name = sql.Identifier(self._name)
        with self._installation.postgres.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' OWNER {}")
            connection.execute(made.format(name, sql.Identifier(ROLE)))
        module = f"tests.benchmarks.rivals.{self._package}"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "DJANGO_SETTINGS_MODULE": f"{module}.settings",
            "PGHOST": str(self._sockets),
            "PGDATABASE": self._name,
            "PGUSER": ROLE,
            "PGPASSWORD": self._secrets[f"{ROLE.upper()}_PASSWORD"],
            **self._more,
        }
        self._process = subprocess.Popen(
            [self._python, "-m", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process and drop the database."""
        self._process.communicate()  # the end of its input ends it
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with self._installation.postgres.connect() as connection:
            connection.execute(drop.format(sql.Identifier(self._name)))

    @property
    def database(self) -> str:
        """Name of its database."""
        return self._name

    def ask(self, **command: object) -> Taken:
        """Let it do one thing and return what that took in its own process.

        Raises:
            RuntimeError: it ended; its own error stands on standard error.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the rival has no pipes")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the rival {self._package} ended")
        return Taken(**json.loads(line))
