"""Databases and roles on a PostgreSQL of the operator's own, and the settings that follow."""

import argparse
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg import conninfo

from foundation import environment
from portal.embedded import roles
from portal.embedded.errors import EmbeddedError
from portal.embedded.urls import ALIASES

SUPERUSER_URL = "SUPERUSER_DATABASE_URL"
OLDEST_MAJOR, NEWEST_MAJOR = 16, 18
_BYTES = 32
_EXAMPLE = "postgresql://postgres:password@db.example/postgres"
# What ``serve`` reads besides the aliases: the role that runs the migrations.
_VARIABLES: Mapping[str, tuple[roles.Role, str]] = {
    **ALIASES,
    "MIGRATOR_DATABASE_URL": (roles.MIGRATOR, roles.MAIN),
    "MIGRATOR_KEYS_DATABASE_URL": (roles.MIGRATOR, roles.KEYS),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made.

    Attributes:
        settings: variables with their addresses, for each role that got a password now.
        kept: roles that were there and keep their password.
    """

    settings: Mapping[str, str]
    kept: tuple[str, ...]


def main(arguments: Sequence[str]) -> int:
    """Run ``prepare_database``; print the settings to set and return the exit status."""
    options = parser().parse_args(arguments)
    try:
        url = environment.secret(SUPERUSER_URL, example=_EXAMPLE)
        prepared = prepare(url, new_passwords=options.new_passwords)
    except (EmbeddedError, environment.SettingMissing) as error:
        sys.stderr.write(f"The databases cannot be prepared: {error}\n")
        return 1
    lines = [f"{name}={value}" for name, value in prepared.settings.items()]
    if prepared.kept:
        lines.append(f"# kept with their passwords: {', '.join(prepared.kept)}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser, also for ``manage.py help prepare_database``."""
    found = argparse.ArgumentParser(
        prog="manage.py prepare_database",
        description="Make databases and roles on your own PostgreSQL and print the settings; "
        f"{SUPERUSER_URL} holds a superuser's address. May be run again.",
    )
    found.add_argument(
        "--new-passwords", action="store_true", help="give roles that exist new passwords too"
    )
    return found


def prepare(url: str, *, new_passwords: bool = False) -> Prepared:
    """Make what is missing of both databases and all roles.

    Args:
        url: a superuser's address; the databases are made on its server.
        new_passwords: whether roles that exist get a new password.

    Raises:
        EmbeddedError: no connection, no superuser, or a version that is not supported.
    """
    try:
        with _connect(url) as connection:
            _check(connection)
            passwords = {role.name: secrets.token_urlsafe(_BYTES) for role in roles.LOGIN_ROLES}
            changed = set(passwords if new_passwords else roles.missing_roles(connection))
            roles.create_roles(connection, passwords)
            for name in sorted(changed):
                roles.set_password(connection, name, passwords[name])
            roles.create_databases(connection)
        for database in (roles.MAIN, roles.KEYS):
            with _connect(conninfo.make_conninfo(url, dbname=database)) as connection:
                roles.set_default_privileges(connection, like=database)
    except psycopg.Error as error:
        raise EmbeddedError(_first_line(error)) from error
    kept = tuple(role.name for role in roles.LOGIN_ROLES if role.name not in changed)
    return Prepared(settings=dict(_settings(url, passwords, changed)), kept=kept)


def _connect(address: str) -> roles.Connection:
    return psycopg.connect(address, autocommit=True, connect_timeout=5)


def _check(connection: roles.Connection) -> None:
    major = connection.info.server_version // 10_000
    if not OLDEST_MAJOR <= major <= NEWEST_MAJOR:
        raise EmbeddedError(
            f"PostgreSQL {OLDEST_MAJOR} to {NEWEST_MAJOR} is needed, the server is {major}"
        )
    if connection.info.parameter_status("is_superuser") != "on":
        user = connection.info.user
        raise EmbeddedError(f"{SUPERUSER_URL} must name a superuser, {user} is none")


def _settings(
    url: str, passwords: Mapping[str, str], changed: set[str]
) -> Iterator[tuple[str, str]]:
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    for variable, (role, database) in _VARIABLES.items():
        if role.name in changed:
            address = f"{role.name}:{passwords[role.name]}@{server}/{database}{query}"
            yield variable, f"postgresql://{address}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
