"""Start a child process that cannot outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from portal.embedded.os_user import OsUser, drops_privileges

Process = subprocess.Popen[bytes]

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to start one process.

    Attributes:
        command: program and arguments.
        environment: the whole environment; nothing is inherited.
        death_signal: what the kernel sends when we end, however that happens (Linux only).
        user: account to change to.
        folder: working folder.
        pass_descriptors: open files the child keeps.
    """

    command: Sequence[str | Path]
    environment: Mapping[str, str]
    death_signal: signal.Signals = signal.SIGTERM
    user: OsUser | None = None
    folder: Path = Path("/")
    pass_descriptors: tuple[int, ...] = field(default=())


def spawn(spec: ChildSpec, *, output: int | IO[bytes]) -> Process:
    """Start the process in a group of its own, so that Ctrl-C reaches the supervisor alone.

    The death signal belongs to the forking *thread*: call this from the main one.
    Source of the order of steps: docs/explanation/runtime.md, "Children".
    """
    changes = spec.user is not None and drops_privileges(spec.user)
    return subprocess.Popen(  # noqa: S603  every command is built in this package
        [os.fspath(part) for part in spec.command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(spec.environment),
        cwd=spec.folder,
        process_group=0,
        user=spec.user.uid if changes and spec.user else None,
        group=spec.user.gid if changes and spec.user else None,
        extra_groups=[] if changes else None,
        pass_fds=spec.pass_descriptors,
        umask=0o077,
        preexec_fn=_tie_to_parent(os.getpid(), spec.death_signal),  # noqa: PLW1509  one thread
    )


def base_environment() -> dict[str, str]:
    """Return what a server needs of our environment, and nothing secret."""
    return {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC", "LC_ALL": "C"}


def _tie_to_parent(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    """Return the last step before exec; it runs after setuid, which would clear the signal."""

    def tie() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie
