"""Keeps all processes running until a signal, then ends them in order."""

import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from portal.supervision.children import RESTART_WINDOW_SECONDS, Child
from portal.supervision.terminal import relay, say

_TICK_SECONDS = 0.25
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """A signal came while we were still starting."""


class Supervisor:
    """Owns the children; its methods run in the main thread, to which death signals belong."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._signals = 0
        self._starting = True
        self._waker, self._woken = socket.socketpair()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Catch the signals that end us for the time of the block."""
        for end in (self._waker, self._woken):
            end.settimeout(0)
        before = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)

    def add(self, child: Child) -> None:
        """Take over a child; the order of adding is the reverse of the order of ending."""
        self.children.insert(0, child)

    def run(self, on_tick: Callable[[], None]) -> int:
        """Run until a signal or until a child ends too often; return the exit status."""
        self._starting = False
        while not self._signals:
            hopeless = self._look_after_children()
            if hopeless is not None:
                self._explain(hopeless)
                self.stop()
                return 1
            on_tick()
            self._wait(_TICK_SECONDS)
        say("Stopping (press Ctrl-C again to kill)")
        self.stop()
        return 0

    def stop(self) -> None:
        """End all children in order; a second signal kills the groups."""
        self._starting = False
        heard = self._signals
        for child in self.children:
            child.ask_to_stop()
            deadline = time.monotonic() + child.plan.stop_seconds
            while child.is_running() and time.monotonic() < deadline and self._signals <= heard:
                self._wait(_TICK_SECONDS)
            if child.is_running():
                relay(child.plan.name, "does not end in time: killed")
            child.kill_group()
            if child.process is not None:
                child.process.wait()
            child.read_output()

    def _look_after_children(self) -> Child | None:
        """Start what is due; return a child that ended too often."""
        now = time.monotonic()
        for child in reversed(self.children):
            if child.has_ended():
                status = child.process.returncode if child.process else 0
                if not child.after_end():
                    return child
                pause = (child.start_at or now) - now
                relay(child.plan.name, f"ended ({_reason(status)}), starts again in {pause:.0f} s")
            if child.start_at is not None and child.start_at <= now:
                child.start()
        return None

    def _wait(self, seconds: float) -> None:
        """Wait for output, a signal or the end of a child, whichever is first."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            for child in self.children:
                if child.descriptor() >= 0:
                    selector.register(child.descriptor(), selectors.EVENT_READ, child)
            for key, _ in selector.select(seconds):
                if isinstance(key.data, Child):
                    key.data.read_output()
                else:
                    self._drain()

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._starting:
            raise StopRequested

    def _explain(self, child: Child) -> None:
        minutes = RESTART_WINDOW_SECONDS / 60
        say(f"{child.plan.name} ended too often within {minutes:.0f} minutes; its last lines:")
        for line in child.last_lines():
            say(f"    {line}")


def _reason(status: int) -> str:
    if status < 0:
        return signal.Signals(-status).name
    return f"status {status}"
