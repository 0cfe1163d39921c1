"""``secrets.env``: passwords made at the first start, readable by the owner alone."""

import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from portal.embedded.errors import EmbeddedError

_BYTES = 32


def load_or_create(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Return a value for every name; new names (of a newer release) are added.

    Raises:
        EmbeddedError: the file is open to others, belongs to someone else or cannot be read.
    """
    known = read(path) if path.exists() else {}
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(_BYTES) for name in missing}
        _replace(path, "".join(f"{name}={value}\n" for name, value in known.items()))
    return known


def read(path: Path) -> dict[str, str]:
    """Return what the file holds.

    Raises:
        EmbeddedError: as :func:`load_or_create`.
    """
    try:
        _check(path)
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise EmbeddedError(f"{path} cannot be read: {error.strerror}") from error
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def _check(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedError(f"{path} is not a file of ours (owner uid {found.st_uid})")
    if found.st_mode & 0o077:
        raise EmbeddedError(f"{path} can be read by other users; run: chmod 600 {path}")


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
