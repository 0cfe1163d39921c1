"""The embedded Valkey: own configuration, unix socket only, started as a foreground child."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import redis

from portal.embedded import orphans
from portal.embedded.binaries import Binaries
from portal.embedded.child import ChildSpec, Process, base_environment, spawn
from portal.embedded.errors import EmbeddedError
from portal.embedded.folder import DataFolder

START_SECONDS = 30.0
_SETTINGS = {
    "port": "0",
    "unixsocketperm": "600",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}


@dataclass(frozen=True, slots=True)
class Valkey:
    """One Valkey in a data folder.

    Attributes:
        folder: the data folder.
        binaries: programs to run it with.
        secrets: what ``secrets.env`` holds.
    """

    folder: DataFolder
    binaries: Binaries
    secrets: Mapping[str, str]

    @property
    def socket(self) -> Path:
        """The only way in."""
        return self.folder.sockets / "valkey.sock"

    def configure(self, settings: Mapping[str, str]) -> Path:
        """Write the configuration, mode 0600, owned by the server's account."""
        values = _SETTINGS | dict(settings)
        values |= {
            "unixsocket": f'"{self.socket}"',
            "dir": f'"{self.folder.valkey}"',
            "pidfile": f'"{self.folder.valkey / "valkey.pid"}"',
            "requirepass": self.secrets["VALKEY_PASSWORD"],
        }
        path = self.folder.valkey / "valkey.conf"
        partial = path.with_suffix(f".{os.getpid()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(partial, flags, 0o600), "w", encoding="utf-8") as stream:
            stream.writelines(f"{name} {value}\n" for name, value in values.items())
            os.fchown(stream.fileno(), self.folder.user.uid, self.folder.user.gid)
        partial.replace(path)
        return path

    def command(self, settings: Mapping[str, str]) -> ChildSpec:
        """Return how to start the server in the foreground."""
        return ChildSpec(
            command=[self.binaries.valkey_server, self.configure(settings)],
            environment=base_environment(),
            user=self.folder.user,
        )

    def stop_orphan(self) -> None:
        """Stop a server that outlived a killed supervisor."""
        orphans.stop_valkey(self.folder.valkey)

    def start(self, output: int | IO[bytes], settings: Mapping[str, str]) -> Process:
        """Start the server; :meth:`wait` says when it answers."""
        return spawn(self.command(settings), output=output)

    def wait(self, process: Process) -> None:
        """Wait until the server answers PING.

        Raises:
            EmbeddedError: it ended or does not answer in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None:
                raise EmbeddedError(
                    f"Valkey ended at once; its last lines are in {self.folder.services_log}"
                )
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Valkey does not answer after {START_SECONDS:.0f} s")
            time.sleep(0.05)

    def _answers(self) -> bool:
        client = redis.Redis(
            unix_socket_path=str(self.socket), password=self.secrets["VALKEY_PASSWORD"]
        )
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.BusyLoadingError):
            return False
        finally:
            client.close()
