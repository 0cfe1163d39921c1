"""Search for planted values wherever the portal leaves bytes (proof.md, "Searches in dumps")."""

import base64
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from portal.embedded.binaries import from_wheels, postgres_major
from tests.e2e.stack import Stack

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a value was found, and in which form."""

    place: str
    value: str
    form: str


def forms_of(value: str) -> dict[str, bytes]:
    """Return the encodings in which a value could lie around.

    Base64 is cut at its ends for each of the three alignments, so that a value inside a longer
    text is found too.
    """
    raw = value.encode()
    forms = {
        "clear": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
    }
    if quote(value, safe="") != value:
        forms["percent"] = quote(value, safe="").encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        start = 0 if shift == 0 else 4
        forms[f"base64+{shift}"] = encoded[start : len(encoded) // 4 * 4 - 4]
    return forms


def search_stack(stack: Stack, values: list[str], *, folder: Path) -> tuple[list[Hit], int]:
    """Search data files, WAL, append-only file, logs, mail and dumps of both databases.

    Returns:
        The hits, and how many places were searched.
    """
    needles = [
        (value, form, needle) for value in values for form, needle in forms_of(value).items()
    ]
    hits: list[Hit] = []
    places = 0
    for name, blocks in _places(stack, folder):
        places += 1
        hits.extend(_hits(name, blocks, needles))
    return hits, places


def _places(stack: Stack, folder: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    for path in sorted(stack.data.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(stack.data)), _blocks(path)
    for database in ("gatehouse", "gatehouse_keys"):
        yield f"dump of {database}", _blocks(_dump(stack, database, folder))
    yield "output of the processes", iter(["\n".join(stack.output).encode()])
    for number, mail in enumerate(stack.mailbox.mails):
        yield f"mail {number}", iter([mail.as_bytes()])


def _blocks(path: Path) -> Iterator[bytes]:
    """Give the file in overlapping blocks, so that a value over a border is found."""
    try:
        with path.open("rb") as stream:
            before = b""
            while block := stream.read(BLOCK):
                yield before + block
                before = block[-4096:]
    except FileNotFoundError:  # servers remove and rename files while we read
        return


def _hits(name: str, blocks: Iterator[bytes], needles: list[tuple[str, str, bytes]]) -> list[Hit]:
    found: dict[tuple[str, str], Hit] = {}
    for block in blocks:
        for value, form, needle in needles:
            if needle and needle in block:
                found.setdefault((value, form), Hit(name, value, form))
    return list(found.values())


def _dump(stack: Stack, database: str, folder: Path) -> Path:
    """Dump a database in plain SQL, as the backup role."""
    target = folder / f"{database}.sql"
    environment = {
        "PGPASSWORD": stack.secret("GATEHOUSE_BACKUP_PASSWORD"),
        "PATH": os.environ["PATH"],
    }
    command = [
        str(from_wheels(postgres_major()).postgres_bin / "pg_dump"),
        f"--host={stack.socket_folder()}",
        "--username=gatehouse_backup",
        "--no-password",
        f"--file={target}",
        database,
    ]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return target
