"""One supervised process: output, end, restarts."""

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from portal.embedded.child import Process, spawn
from portal.supervision.plan import Plan
from portal.supervision.terminal import relay

RESTARTS = 5
RESTART_WINDOW_SECONDS = 600.0
_LONGEST_PAUSE_SECONDS = 30.0
_KEPT_LINES = 15
_CHUNK = 65536


class Child:
    """A process that is started again when it ends."""

    def __init__(self, plan: Plan, process: Process | None = None) -> None:
        self.plan = plan
        self.process = process
        self.start_at: float | None = None if process else time.monotonic()
        self._ends: deque[float] = deque()
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._partial = b""

    def start(self) -> None:
        """Start the process now."""
        self.start_at = None
        if self.plan.log is not None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self.plan.log, flags, 0o600)
            self.process = spawn(self.plan.spec, output=descriptor)
            os.close(descriptor)
            return
        self.process = spawn(self.plan.spec, output=subprocess.PIPE)
        os.set_blocking(self.descriptor(), False)

    def descriptor(self) -> int:
        """Return the pipe of its output, or -1."""
        if self.process is None or self.process.stdout is None or self.process.stdout.closed:
            return -1
        return self.process.stdout.fileno()

    def is_running(self) -> bool:
        """Say whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def has_ended(self) -> bool:
        """Say whether it ended and nobody has dealt with that yet."""
        return self.process is not None and self.process.poll() is not None

    def read_output(self) -> None:
        """Show what it has written; closes the pipe at its end."""
        descriptor = self.descriptor()
        if descriptor < 0:
            return
        for chunk in _chunks(descriptor):
            if not chunk:
                self._close_output()
                return
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            for line in lines:
                self._show(line)

    def after_end(self) -> bool:
        """Clear up after an end and plan the next start; false when it ended too often."""
        self.kill_group()
        self.read_output()
        self._close_output()
        self.process = None
        now = time.monotonic()
        self._ends.append(now)
        while now - self._ends[0] > RESTART_WINDOW_SECONDS:
            self._ends.popleft()
        self.start_at = now + min(
            self.plan.pause_seconds * 2.0 ** (len(self._ends) - 1), _LONGEST_PAUSE_SECONDS
        )
        return len(self._ends) <= RESTARTS

    def ask_to_stop(self) -> None:
        """Send the signal that ends it in good order."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.plan.stop_signal)

    def kill_group(self) -> None:
        """Kill what is left of its group: a web server's workers outlive their parent."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_lines(self) -> list[str]:
        """Return the end of its output."""
        if self.plan.log is not None:
            return tail(self.plan.log)
        return list(self._lines)

    def _close_output(self) -> None:
        if self._partial:
            self._show(self._partial)
            self._partial = b""
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def _show(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self._lines.append(text)
            relay(self.plan.name, text)


def tail(path: Path) -> list[str]:
    """Return the last lines of a file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[-_KEPT_LINES:]
    except OSError:
        return []


def _chunks(descriptor: int) -> Iterator[bytes]:
    """Yield what a non-blocking pipe holds now; an empty chunk is its end."""
    while True:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        yield chunk
        if not chunk:
            return
