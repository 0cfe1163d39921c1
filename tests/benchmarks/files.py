"""Seal and open files beside a plain copy in Python, and beside the command ``age``."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final
from uuid import uuid4

from encryption import streams
from encryption.types import Owner, OwnerKind
from tests.benchmarks.measuring import Contestant, Measurement, Times, missing, race, ratio, scaled

MEBIBYTE: Final = 1024 * 1024
GROWTH: Final = (1, 10, 100)
TARGET: Final = 1.2
COMMAND: Final = "age"
NOT_INSTALLED: Final = "file sealed / age, which is not installed (bin/age installs it)"


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with a file to copy.

    Attributes:
        folder: where everything lies.
        place: what the sealed file is bound to.
        mebibytes: size of the file.
    """

    folder: Path
    place: streams.Place
    mebibytes: int

    @property
    def plain(self) -> Path:
        """Return the file to copy, of random bytes."""
        return self.folder / f"plain-{self.mebibytes}"

    @property
    def sealed(self) -> Path:
        """Return its sealed form."""
        return self.folder / f"sealed-{self.mebibytes}"

    @property
    def target(self) -> Path:
        """Return what each contestant writes anew."""
        return self.folder / "target"

    def make(self) -> None:
        """Write the file and its sealed form."""
        random = Random(self.mebibytes)  # noqa: S311  bytes of a benchmark
        with self.plain.open("wb") as file:
            for _ in range(self.mebibytes):
                file.write(random.randbytes(MEBIBYTE))
        self.seal(self.sealed)

    def seal(self, target: Path | None = None) -> None:
        """Seal the file."""
        size = self.plain.stat().st_size
        with self.plain.open("rb") as source, (target or self.target).open("wb") as sealed:
            streams.seal_stream(source, sealed, self.place, length=size)

    def open(self) -> None:
        """Open the sealed file."""
        with self.sealed.open("rb") as source, self.target.open("wb") as target:
            target.writelines(streams.open_stream(source, self.place))

    def copy(self) -> None:
        """Copy as Python's library does between two files it did not open itself."""
        with self.plain.open("rb") as source, self.target.open("wb") as target:
            shutil.copyfileobj(source, target)

    def copy_whole(self) -> None:
        """Copy by reading the whole file and writing it."""
        self.target.write_bytes(self.plain.read_bytes())

    def age(self, recipient: str) -> None:
        """Encrypt to one recipient by the command line."""
        command = [COMMAND, "--recipient", recipient, "--output", str(self.target), str(self.plain)]
        subprocess.run(command, check=True)


def measure(folder: Path) -> list[Measurement]:
    """Measure files of 1, 10 and 100 MiB; the targets are those of the largest."""
    place = streams.Place(Owner(OwnerKind.FILE_SET, uuid4()), "b.f.file", uuid4())
    recipient = _recipient(folder)
    rows: list[Measurement] = []
    for factor in GROWTH:
        bench = Bench(folder, place, scaled(factor))
        bench.make()
        is_largest = factor == GROWTH[-1]
        times = _race(bench, recipient)
        rows += _beside(f"{factor} MiB", times, is_bound=is_largest)
    return rows if recipient else [*rows, missing(NOT_INSTALLED, unit="x its rate", target=">= 1")]


def _race(bench: Bench, recipient: str) -> Mapping[str, Times]:
    acts: dict[str, Callable[[], None]] = {
        "copy": bench.copy,
        "whole": bench.copy_whole,
        "seal": bench.seal,
        "open": bench.open,
    }
    if recipient:
        acts["age"] = partial(bench.age, recipient)

    def clear() -> None:
        bench.target.unlink(missing_ok=True)

    return race({name: Contestant(act, clear) for name, act in acts.items()}, laps=5)


def _beside(what: str, times: Mapping[str, Times], *, is_bound: bool) -> list[Measurement]:
    sealed, opened, copied = times["seal"], times["open"], times["copy"]
    rows = [
        ratio(
            f"file of {what} sealed / copied",
            copied.wall,
            sealed.wall,
            unit="x its rate",
            at_least=TARGET if is_bound else None,
        ),
        ratio(
            f"file of {what} sealed / copied, processor of this process",
            sealed.processor,
            copied.processor,
            unit="x copy",
        ),
        ratio(
            f"file of {what} sealed / read whole and written",
            times["whole"].wall,
            sealed.wall,
            unit="x its rate",
        ),
        ratio(f"file of {what} opened / copied", copied.wall, opened.wall, unit="x its rate"),
    ]
    if "age" in times:
        of_age = times["age"].wall
        bound = 1 if is_bound else None
        name = f"file of {what} sealed / age"
        rows.append(ratio(name, of_age, sealed.wall, unit="x its rate", at_least=bound))
    return rows


def _recipient(folder: Path) -> str:
    """Return a recipient's public key; empty where the command is not installed."""
    if shutil.which("age") is None or shutil.which("age-keygen") is None:
        return ""
    key = folder / "key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    done = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True)
    return done.stdout.strip()
