"""Folders and servers of their own for the tests of the embedded servers."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portal.embedded.installation import Installation, open_installation
from portal.embedded.postgres import UNSAFE_TEST_OPTIONS

if TYPE_CHECKING:
    from portal.embedded.child import Process

Starter = Callable[[Path], Installation]


@pytest.fixture
def open_place() -> Iterator[Path]:
    """Return an empty folder that the servers' account can reach, also when we are root."""
    with _open_place() as place:
        yield place


@pytest.fixture
def start_postgres() -> Iterator[Starter]:
    """Return a function that starts PostgreSQL on a data folder and waits for it."""
    with _starter() as start:
        yield start


@pytest.fixture(scope="module")
def postgres() -> Iterator[Installation]:
    """Return a running PostgreSQL that all tests of a module share."""
    with _open_place() as place, _starter() as start:
        yield start(place / "data")


@contextmanager
def _open_place() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="gatehouse-test-", dir="/var/tmp"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _starter() -> Iterator[Starter]:
    running: list[Process] = []

    def start(path: Path) -> Installation:
        found = open_installation(path)
        found.postgres.stop_orphan()
        found.postgres.initialise()
        log = found.open_log()
        process = found.postgres.start(log, UNSAFE_TEST_OPTIONS)
        os.close(log)
        running.append(process)
        found.postgres.wait(process)
        found.postgres.prepare()
        return found

    try:
        yield start
    finally:
        for process in running:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)
            process.wait(timeout=20)
