import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 20


class Running:
    """A supervisor in a process of its own, with the lines it printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def wait_for(self, pattern: str, *, times: int = 1) -> list[str]:
        """Read lines until a pattern was seen; return what its group matched."""
        found = [m[1] for line in self.lines if (m := re.search(pattern, line))]
        while len(found) < times:
            line = self.process.stdout.readline() if self.process.stdout else ""
            assert line, f"the supervisor ended before {pattern!r}: {self.lines}"
            self.lines.append(line.rstrip())
            if match := re.search(pattern, line):
                found.append(match[1])
        return found

    def rest(self) -> int:
        """Read all lines to the end; return the exit status."""
        output = self.process.stdout.read() if self.process.stdout else ""
        self.lines += output.splitlines()
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def supervising(*children: str) -> Iterator[Running]:
    """Start a supervisor over some children."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.portal.supervision.fake_stack", *children],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Running(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def is_alive(process: int) -> bool:
    """Say whether a process runs; one that only waits to be collected does not."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(*processes: int, seconds: float = 3.0) -> None:
    """Fail when one of the processes still runs after that time."""
    deadline = time.monotonic() + seconds
    while any(is_alive(process) for process in processes):
        assert time.monotonic() < deadline, "a child outlived the supervisor"
        time.sleep(0.02)


def test_a_signal_ends_the_children_in_order() -> None:
    with supervising("web=polite", "worker=polite", "postgres=polite") as running:
        running.wait_for(r"\| pid (\d+)", times=3)

        running.process.send_signal(signal.SIGTERM)
        status = running.rest()

    ends = [line.split("|")[0].strip() for line in running.lines if line.endswith("| bye")]
    assert status == 0
    assert ends == ["web", "worker", "postgres"]


def test_a_second_signal_kills_what_does_not_end() -> None:
    with supervising("web=deaf") as running:
        running.wait_for(r"\| pid (\d+)")
        running.process.send_signal(signal.SIGINT)
        running.wait_for("(Stopping)")
        time.sleep(0.5)

        running.process.send_signal(signal.SIGINT)
        status = running.rest()

    assert status == 0
    assert any("killed" in line for line in running.lines)


def test_a_killed_child_starts_again_and_its_workers_are_gone() -> None:
    with supervising("web=parent") as running:
        (first,) = running.wait_for(r"\| pid (\d+)")
        (worker,) = running.wait_for(r"\| worker (\d+)")

        os.kill(int(first), signal.SIGKILL)
        pids = running.wait_for(r"\| pid (\d+)", times=2)

        assert pids[1] != first
        wait_until_gone(int(worker))
        assert any("ended (SIGKILL), starts again" in line for line in running.lines)


def test_a_child_that_ends_too_often_stops_all_with_its_last_lines() -> None:
    with supervising("web=broken", "postgres=polite") as running:
        status = running.rest()

    assert status == 1
    assert any(line.startswith("web ended too often") for line in running.lines)
    assert "    cannot work" in running.lines
    assert any(line.endswith("| bye") for line in running.lines)


def test_children_end_within_three_seconds_of_a_killed_supervisor() -> None:
    with supervising("web=polite", "worker=polite") as running:
        children = [int(pid) for pid in running.wait_for(r"\| pid (\d+)", times=2)]

        running.process.kill()

        wait_until_gone(*children)
