import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from portal.embedded import external, roles
from portal.embedded.errors import EmbeddedError
from portal.embedded.installation import Installation
from portal.embedded.urls import ALIASES
from tests.portal.conftest import Starter

CHECKOUT = Path(__file__).resolve().parents[3]
MIGRATOR = {"MIGRATOR_DATABASE_URL", "MIGRATOR_KEYS_DATABASE_URL"}


def superuser(found: Installation) -> str:
    return found.servers.database(roles.SUPERUSER, name="postgres")


def empty(found: Installation) -> None:
    """Take away what the embedded adapter has made: the state of a server of one's own."""
    with found.postgres.connect() as connection:
        for database in (roles.MAIN, roles.KEYS):
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(database)))
        for role in reversed(roles.ROLES):
            name = sql.Identifier(role.name)
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))


def run(*arguments: str, address: str | None) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does: with none of the portal's settings."""
    environment = {"PATH": os.environ["PATH"]}
    if address is not None:
        environment["SUPERUSER_DATABASE_URL"] = address
    return subprocess.run(
        [sys.executable, "manage.py", "prepare_database", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_makes_databases_and_roles_and_prints_settings_that_work(
    open_place: Path, start_postgres: Starter
) -> None:
    found = start_postgres(open_place / "data")
    empty(found)

    done = run(address=superuser(found))

    assert done.returncode == 0, done.stdout + done.stderr
    settings = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert set(settings) == set(ALIASES) | MIGRATOR
    for name, address in settings.items():
        with psycopg.connect(address) as connection:
            role, database = (connection.info.user, connection.info.dbname)
        expected, where = ALIASES.get(name, (roles.MIGRATOR, database))
        assert (role, database) == (expected.name, where)


def test_second_run_keeps_passwords_unless_new_ones_are_asked_for(
    open_place: Path, start_postgres: Starter
) -> None:
    found = start_postgres(open_place / "data")
    before = found.servers.database(roles.APP.name, name=roles.MAIN)

    again = external.prepare(superuser(found))
    psycopg.connect(before).close()
    anew = external.prepare(superuser(found), new_passwords=True)

    assert (again.settings, len(again.kept)) == ({}, len(roles.LOGIN_ROLES))
    assert (set(anew.settings), anew.kept) == (set(ALIASES) | MIGRATOR, ())
    psycopg.connect(anew.settings["DATABASE_URL"]).close()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(before)


def test_role_without_superuser_rights_is_refused_and_nothing_changes(
    postgres: Installation,
) -> None:
    address = postgres.servers.database(roles.MIGRATOR.name, name=roles.MAIN)

    with pytest.raises(EmbeddedError, match="must name a superuser, gatehouse_migrator is none"):
        external.prepare(address, new_passwords=True)

    psycopg.connect(address).close()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (None, "SUPERUSER_DATABASE_URL is not set"),
        ("postgresql://postgres@localhost:1/postgres", "connection"),
        ("no address", "missing"),
    ],
)
def test_missing_or_wrong_address_gives_one_line(address: str | None, reason: str) -> None:
    done = run(address=address)

    assert done.returncode == 1
    assert done.stderr.startswith("The databases cannot be prepared: ")
    assert reason in done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
