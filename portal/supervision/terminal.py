"""What the supervisor says: one line per step, and its children's output with a prefix."""

import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_NAME_WIDTH = 7


def say(line: str) -> None:
    """Print one line; a closed terminal is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def relay(name: str, line: str) -> None:
    """Print a child's line behind its name."""
    say(f"{name:<{_NAME_WIDTH}}| {line}")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print what was done and how long it took."""
    started = time.monotonic()
    yield
    say(f"  {what:<44}{time.monotonic() - started:6.1f} s")
