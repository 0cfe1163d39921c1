"""Everything rotates while people write and read, and the rotating process is killed again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections

from encryption.key_tables import RotationRun
from encryption.rotation import runs
from encryption.types import KeyState, OwnerKind
from tests.encryption.models import Person
from tests.encryption.rotation.independent import fetched, key_store
from tests.encryption.rotation.rotating import finish
from tests.factories.encryption import person
from tests.keeper import CHECKOUT
from tests.proofs import Tried
from tests.servers import FreshDatabase

KILLS = 40
SEED = int(os.environ.get("ROTATION_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
TABLE = Person._meta.db_table
BUSY_SECONDS = 60.0
KINDS = ("epoch", "root", "data_keys", "index")
EPOCHS = "SELECT purpose, state, count(*) FROM encryption_kekepoch GROUP BY 1, 2"
ASTRAY = """
SELECT count(*) FROM encryption_datakey AS found JOIN encryption_kekepoch AS epoch
ON epoch.id = found.epoch_id WHERE epoch.state <> 'active'
"""
ENDED = """
SELECT kind, count(*), max("left") FROM encryption_rotationrun
WHERE finished_at IS NOT NULL GROUP BY 1
"""


@contextmanager
def started(folder: Path, fresh: FreshDatabase, root_key: Path) -> Iterator[None]:
    """Run writer, reader and job until the block ends."""
    environment = os.environ | fresh.environment | {"ROOT_KEY_FILE": str(root_key), "ZONE": "all"}
    command = [sys.executable, "-m", "tests.encryption.rotation.under_load"]
    processes = [
        subprocess.Popen([*command, name, str(folder)], cwd=CHECKOUT, env=environment)
        for name in ("writer", "reader", "job")
    ]
    try:
        yield
    finally:
        (folder / "stop").touch()
        for process in processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def kill_once(folder: Path, chance: random.Random) -> str | None:
    """Kill the rotating process after a random time; return what it was in the middle of."""
    time.sleep(chance.uniform(0.02, 0.5))
    pid, what = busy(folder)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + BUSY_SECONDS
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.002)
    pid_then, what = busy(folder)
    is_hit = pid_then == pid and what.startswith("in ")
    while busy(folder)[0] == pid:  # its successor is at work
        assert time.monotonic() < deadline, errors(folder)
        time.sleep(0.01)
    return what.removeprefix("in ") if is_hit else None


def busy(folder: Path) -> tuple[int, str]:
    """Return who works and on what."""
    deadline = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError, ValueError):
            pid, what = (folder / "busy").read_text().split(" ", 1)
            return int(pid), what
        time.sleep(0.01)
    raise AssertionError(errors(folder))


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def errors(folder: Path) -> dict[str, str]:
    """Return what the processes complained of."""
    return {path.name: path.read_text() for path in folder.glob("errors-*")}


def last_written(folder: Path) -> dict[UUID, int]:
    lines = (folder / "written").read_text().splitlines()
    return {UUID(row): int(number) for row, number in (line.split() for line in lines)}


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in the databases afterwards, read without the product's code.

    Attributes:
        values: the opened name of each person.
        worn: people whose name is under a retired data key.
        epochs: number of epochs by purpose and state.
        roots: number of root versions by state.
        astray: keys that are not under an active epoch.
        runs: number of finished runs by kind, and what they left.
        digests: number of index roots under which digests stand.
    """

    values: dict[UUID, str]
    worn: list[UUID]
    epochs: dict[tuple[str, str], int]
    roots: dict[str, int]
    astray: int
    runs: dict[str, tuple[int, int]]
    digests: int


def found_in(fresh: FreshDatabase, root_key: Path) -> Found:
    with fresh.installation.postgres.connect(fresh.servers.keys) as keys:
        store = key_store(keys, root_key)
        epochs = fetched(keys, EPOCHS)
        roots = fetched(keys, "SELECT state, count(*) FROM encryption_rootversion GROUP BY 1")
        astray = fetched(keys, ASTRAY)
        ended = fetched(keys, ENDED)
    with fresh.installation.postgres.connect(fresh.servers.main) as main:
        rows = fetched(main, f"SELECT id, name FROM {TABLE}")  # noqa: S608  our own name
        digests = fetched(main, "SELECT DISTINCT epoch FROM encryption_blindindexentry")
    return Found(
        values={row: store.open(name, "t.person.name", row).decode() for row, name in rows},
        worn=[row for row, name in rows if store.states[bytes(name[1:9])] != KeyState.ACTIVE],
        epochs={(purpose, state): number for purpose, state, number in epochs},
        roots=dict(roots),
        astray=astray[0][0],
        runs={kind: (number, left) for kind, number, left in ended},
        digests=len(digests),
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.proof(
    "encryption: data keys, epoch, root and index rotate under load and kills; nothing is lost"
)
def test_everything_rotates_under_load_and_kills(
    fresh_tables: FreshDatabase, root_key: Path, tmp_path: Path, tried: Tried
) -> None:
    person(name="first", data={"row": "x"}).delete()
    folder = tmp_path / "load"
    folder.mkdir()

    with started(folder, fresh_tables, root_key):
        hits, lefts = killed(folder, random.Random(SEED))  # noqa: S311
        (folder / "finish").touch()
        wait_for(folder / "idle", folder)
    finish(runs.start_data_keys(OwnerKind.SUBJECT, by="test"))

    assert errors(folder) == {}
    written = last_written(folder)
    found = found_in(fresh_tables, root_key)
    assert found.values == {row: f"{row} {number}" for row, number in written.items()}
    assert found.worn == []
    assert (found.epochs["general", "active"], found.epochs["vault", "active"]) == (1, 1)
    assert found.astray == 0
    assert found.roots["active"] == 1
    assert found.roots["retired"] >= 1
    assert found.runs.keys() >= {"epoch", "root", "data_keys", "index"}
    assert {left for _number, left in found.runs.values()} == {0}
    assert len(lefts) > 5  # progress was to be seen
    assert found.digests == 1
    assert not runs.open_runs().exists()
    tried.case(hits.total())
    tried.figure(told(folder, hits, found))
    connections.close_all()


def killed(folder: Path, chance: random.Random) -> tuple[Counter[str], set[int]]:
    """Kill often enough, in every kind of rotation; return where, and what was seen as left."""
    hits: Counter[str] = Counter()
    lefts: set[int] = set()
    while hits.total() < KILLS or len(hits) < len(KINDS):
        what = kill_once(folder, chance)
        if what is not None:
            hits[what] += 1
        lefts |= set(RotationRun.objects.values_list("left", flat=True))
        assert not errors(folder)
    return hits, lefts


def told(folder: Path, hits: Counter[str], found: Found) -> str:
    ended = {kind: number for kind, (number, _left) in found.runs.items()}
    writes = len((folder / "written").read_text().splitlines())
    reads = (folder / "read").read_text()
    return (
        f"seed {SEED}; {hits.total()} kills in {dict(hits)}; rotations {ended}; "
        f"{len(found.values)} rows, {writes} writes, {reads} rounds of reading"
    )


def wait_for(path: Path, folder: Path) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, errors(folder)
        time.sleep(0.05)
