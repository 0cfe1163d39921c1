"""Servers that outlived a killed supervisor."""

import os
import signal
import time
from pathlib import Path

from portal.embedded.errors import EmbeddedError

_STOP_SECONDS = 20.0


def stop_postgres(cluster: Path) -> None:
    """Stop a PostgreSQL that still runs on this cluster (``postmaster.pid``)."""
    _stop(_first_number(cluster / "postmaster.pid"), program="postgres", with_signal=signal.SIGINT)


def stop_valkey(folder: Path) -> None:
    """Stop a Valkey that still runs on this folder (``valkey.pid``)."""
    _stop(
        _first_number(folder / "valkey.pid"),
        program="valkey-server",
        with_signal=signal.SIGTERM,
    )


def is_program(process: int, program: str) -> bool:
    """Say whether a live process executes a program of this name."""
    try:
        executable = Path(f"/proc/{process}/exe").readlink().name
    except OSError:
        return False
    return executable.removesuffix(" (deleted)") == program


def _first_number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _stop(process: int, *, program: str, with_signal: signal.Signals) -> None:
    """Signal the process if it is what the file claims; a reused number is left alone."""
    if process <= 1 or not is_program(process, program):
        return
    os.kill(process, with_signal)
    deadline = time.monotonic() + _STOP_SECONDS
    while is_program(process, program):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"A forgotten {program} (process {process}) does not stop; end it")
        time.sleep(0.05)
