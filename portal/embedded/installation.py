"""An installation's embedded servers: folder, secrets and both programs together."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from encryption.providers import key_file
from portal.embedded import binaries, folder, secrets_file
from portal.embedded.os_user import server_user
from portal.embedded.postgres import Postgres
from portal.embedded.urls import SECRET_NAMES, Servers
from portal.embedded.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Installation:
    """What is needed to start the servers of one data folder and to reach them."""

    data: folder.DataFolder
    postgres: Postgres
    valkey: Valkey

    @property
    def servers(self) -> Servers:
        """Addresses of both servers."""
        return Servers(
            postgres_sockets=self.data.sockets,
            valkey_socket=self.valkey.socket,
            secrets=self.postgres.secrets,
        )

    def open_log(self) -> int:
        """Return a descriptor of ``services.log``, mode 0600, for the servers' output."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self.data.services_log, flags, 0o600)


def open_installation(path: Path, *, more_secrets: Iterable[str] = ()) -> Installation:
    """Take over or make a data folder; the caller holds its lock.

    Args:
        path: the data folder.
        more_secrets: names of further passwords to keep in ``secrets.env``.

    Raises:
        EmbeddedError: the folder, its secrets or the programs cannot be used.
    """
    data = folder.prepare(path)
    known = secrets_file.load_or_create(data.secrets_file, (*SECRET_NAMES, *more_secrets))
    major = binaries.postgres_major()
    programs = binaries.for_user(data.user, folder=data.programs, major=major)
    if not data.root_key_file.exists():
        key_file.create(data.root_key_file)
    return Installation(
        data=data,
        postgres=Postgres(folder=data, binaries=programs, secrets=known),
        valkey=Valkey(folder=data, binaries=programs, secrets=known),
    )


def running_servers(path: Path) -> Servers | None:
    """Return the addresses of the servers of an existing data folder, or None."""
    data = folder.DataFolder(path=path.absolute(), user=server_user())
    if not data.secrets_file.is_file():
        return None
    return Servers(
        postgres_sockets=data.sockets,
        valkey_socket=data.sockets / "valkey.sock",
        secrets=secrets_file.read(data.secrets_file),
    )
