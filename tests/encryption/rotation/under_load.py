"""Processes of the load test: ``python -m tests.encryption.rotation.under_load <role> <folder>``.

``writer`` makes and changes people, ``reader`` reads and looks them up, ``job`` rotates in children
that may be killed at any time. Each writes what it did into files of the folder.
"""

import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from itertools import count, cycle
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from uuid import UUID

ROLES: dict[str, Callable[[Path], None]] = {}
SETTLE_SECONDS = 1.5


def role(run: Callable[[Path], None]) -> Callable[[Path], None]:
    ROLES[run.__name__] = run
    return run


def must_stop(folder: Path) -> bool:
    return (folder / "stop").exists()


@role
def writer(folder: Path) -> None:
    from encryption.services import check_revocations  # noqa: PLC0415  after django.setup()
    from tests.encryption.models import Person  # noqa: PLC0415

    known: list[UUID] = []
    with (folder / "written").open("a", buffering=1) as written:
        for number in count(1):
            if must_stop(folder):
                return
            check_revocations()
            if len(known) < 400 or number % 5 == 0:
                row = Person(code=f"W{number}", note=f"note {number}")
                row.email = f"{row.pk}@example.org"
            else:
                row = Person.objects.get(pk=random.choice(known))  # noqa: S311
            row.name = f"{row.pk} {number}"
            row.data = {"row": str(row.pk), "number": number}
            row.save()
            written.write(f"{row.pk} {number}\n")
            known.append(row.pk)


@role
def reader(folder: Path) -> None:
    from encryption import services  # noqa: PLC0415
    from tests.encryption.models import Person  # noqa: PLC0415

    sealed = services.seal_to_vault(b"secret", b"load")
    for number in count(1):
        if must_stop(folder):
            (folder / "read").write_text(str(number))
            return
        services.check_revocations()
        if number % 20 == 0:
            services.drop_keys()
        rows = list(Person.objects.order_by("-pk")[: random.randint(1, 60)])  # noqa: S311
        for row in rows:
            data: dict[str, object] = row.data or {}
            right = row.name.startswith(f"{row.pk} ") and data.get("row") == str(row.pk)
            if not right or not str(row.note).startswith("note "):
                raise AssertionError(f"mixed up: {row.pk}")
        if rows and Person.objects.matching(email=rows[-1].email) != [rows[-1]]:
            raise AssertionError(f"not found: {rows[-1].pk}")
        if services.open_from_vault(sealed, b"load") != b"secret":
            raise AssertionError("vault")


@role
def job(folder: Path) -> None:
    while not must_stop(folder):
        pid = os.fork()
        if pid == 0:
            os._exit(rotate_until_stopped(folder))
        os.waitpid(pid, 0)


def rotate_until_stopped(folder: Path) -> int:
    try:
        rotate(folder)
    except BaseException:  # noqa: BLE001  the parent test reads it
        (folder / f"errors-job-{os.getpid()}").write_text(traceback.format_exc())
    return 0


def rotate(folder: Path) -> None:
    """Work on what is open, else start the next kind; say before and after each step."""
    from encryption.rotation import runs  # noqa: PLC0415
    from encryption.rotation.jobs import Progress  # noqa: PLC0415
    from encryption.services import check_revocations  # noqa: PLC0415
    from tests.encryption.rotation.rotating import worker  # noqa: PLC0415

    starts = kinds(folder)
    busy = folder / "busy"
    while not must_stop(folder):
        check_revocations()
        found = list(runs.open_runs())
        if not found:
            if (folder / "finish").exists():
                (folder / "idle").touch()
                time.sleep(0.1)
                continue
            next(starts)()
            continue
        workers = [worker(run, settle_seconds=SETTLE_SECONDS) for run in found]
        while workers and not must_stop(folder):
            for work in tuple(workers):
                step = work._job.step
                busy.write_text(f"{os.getpid()} in {work.run.kind}")
                progress = step()
                busy.write_text(f"{os.getpid()} out")
                if progress is Progress.DONE:
                    work.work(0.5)
                    workers.remove(work)
                if progress is Progress.WAITS:
                    time.sleep(0.05)


def kinds(folder: Path) -> "cycle[Callable[[], object]]":
    from encryption.rotation import runs  # noqa: PLC0415

    order: list[Callable[[], object]] = [
        lambda: runs.start_epoch("general", by="load"),
        lambda: runs.start_data_keys("subject", by="load"),
        lambda: runs.start_root(by="load"),
        lambda: runs.start_data_keys("organisation", by="load"),
        lambda: runs.start_index(by="load"),
        lambda: runs.start_epoch("vault", by="load"),
    ]
    begun = folder / "begun"
    number = int(begun.read_text() or 0) if begun.exists() else 0

    def numbered(place: int) -> Callable[[], object]:
        def start() -> object:
            begun.write_text(str(place + 1))
            return order[place]()

        return start

    turns = [numbered((number + offset) % len(order)) for offset in range(len(order))]
    return cycle(turns)


def main(name: str, folder: Path) -> int:
    django.setup()
    try:
        ROLES[name](folder)
    except BaseException:  # noqa: BLE001  the parent test reads it
        (folder / f"errors-{name}").write_text(traceback.format_exc())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
