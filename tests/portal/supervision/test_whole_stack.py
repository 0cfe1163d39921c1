"""The really running stack, killed in every place."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from portal.supervision.readiness import ask
from tests.e2e.stack import Stack, running_stack

pytestmark = pytest.mark.slow

SECONDS_TO_RECOVER = 60
PARTS = ("postgres -D", "granian", "valkey-server", "portal.celery worker", "run_loops")


def processes_of(data: Path) -> dict[int, str]:
    """Return the live processes that belong to a data folder, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if command and (f"DATA_DIR={data}".encode() in environment or str(data) in command):
            found[int(folder.name)] = command
    return found


def process_id(data: Path, part: str) -> int:
    """Return the oldest process whose command line holds a text."""
    return min(number for number, command in processes_of(data).items() if part in command)


def wait_until(holds: Callable[[], bool], stack: Stack) -> None:
    """Fail when the stack does not come back in time."""
    deadline = time.monotonic() + SECONDS_TO_RECOVER
    while not holds():
        assert time.monotonic() < deadline, stack.output[-20:]
        time.sleep(0.2)


def runs_anew(data: Path, part: str, *, instead_of: int) -> bool:
    """Say whether another process has taken the place of a killed one."""
    numbers = [number for number, command in processes_of(data).items() if part in command]
    return bool(numbers) and instead_of not in numbers


class Writer:
    """Writes rows outside the product's code and remembers those that were acknowledged."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._end = threading.Event()
        self.acknowledged: list[int] = []

    def run(self) -> None:
        """Write until ended, through every outage."""
        number = 0
        while not self._end.is_set():
            try:
                with self._stack.connect("gatehouse_app") as connection:
                    while not self._end.wait(0.002):
                        number += 1
                        connection.execute("INSERT INTO kill_probe VALUES (%s)", [number])
                        self.acknowledged.append(number)
            except (psycopg.Error, OSError, LookupError, ValueError, StopIteration):
                time.sleep(0.05)

    def end(self) -> None:
        """Stop writing."""
        self._end.set()


@contextmanager
def writing(stack: Stack) -> Iterator[Writer]:
    """Write in a thread during the block; some rows are there when it begins."""
    with stack.connect("gatehouse_migrator") as connection:
        connection.execute("CREATE TABLE kill_probe (id bigint PRIMARY KEY)")
    writer = Writer(stack)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        wait_until(lambda: len(writer.acknowledged) > 20, stack)
        yield writer
    finally:
        writer.end()
        thread.join()


def kept(stack: Stack) -> set[object]:
    """Return the numbers that the database holds."""
    with stack.connect("gatehouse_app") as connection:
        return {number for (number,) in connection.execute("SELECT id FROM kill_probe").fetchall()}


@pytest.mark.timeout(600)
def test_killed_parts_come_back_and_no_row_is_lost(open_place: Path) -> None:
    data = open_place / "data"
    with running_stack(data) as stack:
        port = int(stack.address.rpartition(":")[2])
        with writing(stack) as writer:
            for part in PARTS:
                victim = process_id(data, part)
                before = len(writer.acknowledged)

                os.kill(victim, signal.SIGKILL)

                wait_until(partial(runs_anew, data, part, instead_of=victim), stack)
                wait_until(lambda: ask(port) == "", stack)
                wait_until(partial(has_grown, writer, before), stack)

        assert set(writer.acknowledged) <= kept(stack)


@pytest.mark.timeout(600)
def test_all_processes_end_with_a_killed_supervisor_and_the_next_start_finds_all_rows(
    open_place: Path,
) -> None:
    data = open_place / "data"
    with running_stack(data) as stack, writing(stack) as writer:
        before = processes_of(data)

        stack.process.kill()
        stack.process.wait()
        deadline = time.monotonic() + 3 * share_of_processor()
        while left := processes_of(data):
            assert time.monotonic() < deadline, left
            time.sleep(0.05)

    assert len(before) > len(PARTS)
    with running_stack(data) as stack:
        assert set(writer.acknowledged) <= kept(stack)


def share_of_processor() -> float:
    """Return how many processes wait for each core, at least 1: other tests run beside us."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def has_grown(writer: Writer, before: int) -> bool:
    """Say whether more rows were acknowledged."""
    return len(writer.acknowledged) > before
