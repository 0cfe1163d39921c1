"""Secrets that key services read from files, each time, so that they can be renewed while running.

A file that everybody can read is refused; the group may read it, since orchestrators hand secrets
to a process by its group.
"""

import os
import stat
from pathlib import Path

from encryption.providers.base import Refused, Unavailable


def read_secret(path: Path, what: str) -> str:
    """Return the content of a file without white space around it.

    Args:
        path: the file.
        what: name of the secret, for the error.

    Raises:
        Unavailable: the file cannot be read, or is empty.
        Refused: everybody can read or change it.
    """
    try:
        with path.open("rb") as file:
            is_open_to_all = os.fstat(file.fileno()).st_mode & stat.S_IRWXO
            content = file.read().decode("utf-8", "replace").strip()
    except OSError as error:
        raise Unavailable(f"{what} cannot be read: {error.strerror}") from error
    if is_open_to_all:
        raise Refused(f"{what} can be read by everybody: set its mode to 0600 or 0640")
    if not content:
        raise Unavailable(f"{what} is empty")
    return content
