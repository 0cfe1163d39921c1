import os
import pwd
import signal
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from portal.embedded import orphans, roles
from portal.embedded.binaries import from_wheels, postgres_major
from portal.embedded.errors import EmbeddedError
from portal.embedded.installation import Installation, open_installation
from portal.embedded.os_user import drops_privileges, server_user
from portal.embedded.postgres import UNSAFE_TEST_OPTIONS
from tests.portal.conftest import Starter

CHECKOUT = Path(__file__).resolve().parents[3]
STARTER = """
import os, signal, sys
from pathlib import Path
from portal.embedded.installation import open_installation
found = open_installation(Path(sys.argv[1]))
found.postgres.stop_orphan(); found.valkey.stop_orphan()
found.postgres.initialise()
log = found.open_log()
postgres = found.postgres.start(log, {}); found.postgres.wait(postgres); found.postgres.prepare()
valkey = found.valkey.start(log, {}); found.valkey.wait(valkey)
print("pids", postgres.pid, valkey.pid, flush=True)
signal.pause()
"""


def rows(connection: roles.Connection, statement: LiteralString) -> list[tuple[object, ...]]:
    return connection.execute(statement).fetchall()


def connect(found: Installation, role: str, database: str) -> roles.Connection:
    return psycopg.connect(found.servers.database(role, name=database), autocommit=True)


def as_user(uid: int, act: Callable[[], None]) -> None:
    """Do something as another user, in a fork: Python itself may lie under a closed home."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            act()
            status = 0
        except BaseException:  # noqa: BLE001  the fork must never return into pytest
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def started_by_another_process(path: Path) -> tuple[subprocess.Popen[str], int, int]:
    """Start both servers as a child's children; return the child and their process ids."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(path)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("pids"):
        process.kill()
        raise AssertionError(process.communicate())
    _, postgres, valkey = line.split()
    return process, int(postgres), int(valkey)


def test_each_role_connects_only_where_it_belongs(postgres: Installation) -> None:
    tried = 0

    for role in roles.LOGIN_ROLES:
        for database in (roles.MAIN, roles.KEYS):
            tried += 1
            if database in role.databases:
                connect(postgres, role.name, database).close()
            else:
                with pytest.raises(psycopg.OperationalError, match="permission denied"):
                    connect(postgres, role.name, database)

    assert tried == 2 * len(roles.LOGIN_ROLES) > 0


def test_only_the_backup_bypasses_row_security_and_no_role_is_superuser(
    postgres: Installation,
) -> None:
    with postgres.postgres.connect() as connection:
        bypassing = rows(connection, "SELECT rolname FROM pg_roles WHERE rolbypassrls")
        superusers = rows(connection, "SELECT rolname FROM pg_roles WHERE rolsuper")

    assert {name for (name,) in bypassing} == {"gatehouse_root", "gatehouse_backup"}
    assert superusers == [("gatehouse_root",)]


def test_web_role_has_limits_on_its_transactions(postgres: Installation) -> None:
    with connect(postgres, "gatehouse_app", roles.MAIN) as connection:
        idle = rows(connection, "SHOW idle_in_transaction_session_timeout")
        whole = rows(connection, "SHOW transaction_timeout")

    assert (idle, whole) == ([("30s",)], [("1min",)])


def test_tables_of_the_migrator_are_open_to_the_web_role_but_closed_to_staff(
    postgres: Installation,
) -> None:
    with connect(postgres, "gatehouse_migrator", roles.MAIN) as connection:
        connection.execute("CREATE TABLE thing (id int)")

    with connect(postgres, "gatehouse_app", roles.MAIN) as connection:
        connection.execute("INSERT INTO thing VALUES (1)")
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with connect(postgres, "gatehouse_staff", roles.MAIN) as connection, refused:
        connection.execute("SELECT * FROM thing")
    with connect(postgres, "gatehouse_app", roles.MAIN) as connection, refused:
        connection.execute("CREATE TABLE other (id int)")


def test_wrong_password_is_refused(postgres: Installation) -> None:
    address = postgres.servers.database("gatehouse_app", name=roles.MAIN)
    password = postgres.servers.secrets["GATEHOUSE_APP_PASSWORD"]

    for wrong in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(address.replace(password, wrong))


def test_passwords_are_kept_as_scram_verifiers(postgres: Installation) -> None:
    with postgres.postgres.connect() as connection:
        kept = rows(connection, "SELECT rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL")

    assert len(kept) == len(roles.LOGIN_ROLES) + 1
    assert all(str(verifier).startswith("SCRAM-SHA-256$") for (verifier,) in kept)


def test_foreign_secrets_file_gives_one_line(open_place: Path, start_postgres: Starter) -> None:
    found = start_postgres(open_place / "data")
    wrong = {"GATEHOUSE_ROOT_PASSWORD": "wrong"}

    with pytest.raises(EmbeddedError) as refusal:
        replace(found.postgres, secrets=wrong).answers()

    assert "does not fit" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_two_data_folders_run_at_once_and_do_not_accept_each_others_passwords(
    open_place: Path, start_postgres: Starter
) -> None:
    first = start_postgres(open_place / "first")
    second = start_postgres(open_place / "second")

    connect(first, "gatehouse_app", roles.MAIN).close()
    connect(second, "gatehouse_app", roles.MAIN).close()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=str(second.data.sockets),
            user="gatehouse_app",
            dbname=roles.MAIN,
            password=first.servers.secrets["GATEHOUSE_APP_PASSWORD"],
        )


def test_data_folder_with_a_path_of_150_characters_works(
    open_place: Path, start_postgres: Starter
) -> None:
    path = open_place / ("d" * (149 - len(str(open_place))))

    found = start_postgres(path)

    assert len(str(path)) == 150
    connect(found, "gatehouse_app", roles.MAIN).close()


def test_another_operating_system_user_cannot_reach_the_socket(postgres: Installation) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user")
    address = postgres.servers.database("gatehouse_app", name=roles.MAIN)

    def refused() -> None:
        with pytest.raises(psycopg.OperationalError, match="Permission denied"):
            psycopg.connect(address)

    psycopg.connect(address).close()
    as_user(12_345, refused)


def test_as_root_the_server_runs_as_another_account_from_its_own_copy(
    postgres: Installation,
) -> None:
    user = server_user()
    if not drops_privileges(user):
        pytest.skip("an ordinary user's servers run as that user")
    process = int((postgres.postgres.cluster / "postmaster.pid").read_text().split()[0])

    assert Path(f"/proc/{process}").stat().st_uid == user.uid != 0
    assert Path(f"/proc/{process}/exe").readlink().is_relative_to(postgres.data.programs)
    assert stat.S_IMODE(postgres.data.secrets_file.stat().st_mode) == 0o600


def test_an_ordinary_user_runs_the_server(open_place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("all other tests run as an ordinary user then")
    programs = from_wheels(postgres_major()).postgres_bin
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in (programs, *programs.parents)):
        pytest.skip("no other user can reach this checkout, so none can run it")
    user = pwd.getpwnam("nobody").pw_uid
    os.chown(open_place, user, user)

    def run_it() -> None:
        found = open_installation(open_place / "data")
        found.postgres.initialise()
        process = found.postgres.start(found.open_log(), UNSAFE_TEST_OPTIONS)
        found.postgres.wait(process)
        found.postgres.prepare()
        assert Path(f"/proc/{process.pid}").stat().st_uid == user
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0

    as_user(user, run_it)


def test_servers_end_within_three_seconds_of_a_killed_parent_and_lose_no_row(
    open_place: Path,
) -> None:
    process, postgres, valkey = started_by_another_process(open_place / "data")
    address = addresses(open_place / "data")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")

    end(process)

    wait_until_gone(("postgres", postgres), ("valkey-server", valkey))
    process, postgres, valkey = started_by_another_process(open_place / "data")
    with psycopg.connect(address) as connection:
        assert rows(connection, "SELECT count(*) FROM kept") == [(1000,)]
    end(process)
    wait_until_gone(("postgres", postgres), ("valkey-server", valkey))


def test_forgotten_servers_are_stopped_at_the_next_start(
    open_place: Path, start_postgres: Starter
) -> None:
    found = start_postgres(open_place / "data")
    first = int((found.postgres.cluster / "postmaster.pid").read_text().split()[0])

    start_postgres(open_place / "data")

    assert not orphans.is_program(first, "postgres")


def test_number_of_another_program_in_the_pid_file_is_left_alone(open_place: Path) -> None:
    process = subprocess.Popen(["sleep", "30"])
    data = open_place / "cluster"
    data.mkdir()
    (data / "postmaster.pid").write_text(f"{process.pid}\n", encoding="utf-8")

    orphans.stop_postgres(data)

    assert process.poll() is None
    process.kill()
    process.wait()


def test_data_of_another_postgresql_version_are_refused(
    open_place: Path, start_postgres: Starter
) -> None:
    found = start_postgres(open_place / "data")
    (found.postgres.cluster / "PG_VERSION").write_text("16\n", encoding="utf-8")

    with pytest.raises(EmbeddedError, match="embedded_upgrade"):
        found.postgres.initialise()


def end(process: subprocess.Popen[str]) -> None:
    """Kill the starter, as an out-of-memory killer would."""
    process.kill()
    process.communicate()


def addresses(path: Path) -> str:
    """Return the migrator's address of a data folder, read as another process would."""
    code = (
        "import sys; from pathlib import Path\n"
        "from portal.embedded.installation import running_servers\n"
        "print(running_servers(Path(sys.argv[1])).database('gatehouse_migrator', name='gatehouse'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def wait_until_gone(*programs: tuple[str, int], seconds: float = 3.0) -> None:
    deadline = time.monotonic() + seconds
    while any(orphans.is_program(process, name) for name, process in programs):
        assert time.monotonic() < deadline, "a server outlived its parent"
        time.sleep(0.05)
