"""Commands of the composition root that every start uses."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from threading import Timer

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import RequestFactory
from pytest_django import Settings

from portal.embedded.binaries import DEFAULT_POSTGRES
from portal.wsgi import application
from tests.servers import FreshDatabase


@pytest.fixture
def signals() -> Iterator[None]:
    """Give the signals back to pytest."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def with_postgres(folder: Path, version: object) -> None:
    cluster = folder / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text(f"{version}\n", encoding="utf-8")


@pytest.mark.usefixtures("signals", "fresh_database")
def test_the_loops_run_until_they_are_told_to_stop() -> None:
    stop = Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    stop.start()

    call_command("run_loops")

    assert stop.finished.is_set()


def test_migrating_what_is_migrated_changes_nothing(fresh_database: FreshDatabase) -> None:
    assert fresh_database.environment
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
        before = cursor.fetchone()

    call_command("migrate_all", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
        assert cursor.fetchone() == before


def test_data_of_the_present_postgresql_need_no_upgrade(data: Path) -> None:
    with_postgres(data, DEFAULT_POSTGRES)
    output = StringIO()

    call_command("embedded_upgrade", stdout=output)

    assert "nothing to do" in output.getvalue()


def test_data_of_another_postgresql_are_told_how_to_go_on(data: Path) -> None:
    with_postgres(data, 16)

    with pytest.raises(CommandError, match="EMBEDDED_PG=16"):
        call_command("embedded_upgrade")


@pytest.mark.usefixtures("data")
def test_a_folder_without_data_is_said() -> None:
    with pytest.raises(CommandError, match="no embedded PostgreSQL"):
        call_command("embedded_upgrade")


@pytest.mark.parametrize("command", ["serve", "prepare_database"])
def test_a_command_that_is_handed_over_passes_its_arguments_on(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", command, "--help"])

    with pytest.raises(SystemExit) as ended:
        call_command(command)

    assert ended.value.code == 0


def test_the_portal_answers_by_wsgi(rf: RequestFactory) -> None:
    statuses: list[str] = []
    environ = rf.get("/health/live", HTTP_HOST="localhost").environ

    def start(status: str, _headers: object, _error: object = None, /) -> Callable[[bytes], object]:
        statuses.append(status)
        return bytes

    body = b"".join(application(environ, start))

    assert statuses == ["200 OK"]
    assert body
