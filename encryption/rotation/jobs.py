"""What a rotation job is: small steps, each committed, each repeatable."""

from enum import Enum
from typing import Protocol
from uuid import UUID

from django.db import connections, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest, Now

from encryption.erasure import CHANNEL
from encryption.key_tables import Revocation, RotationRun
from encryption.keyring import LOOK_AGAIN, keyring
from encryption.router import KEYS


class Progress(Enum):
    """What a step found."""

    MORE = "more"
    WAITS = "waits"
    DONE = "done"


class Job(Protocol):
    """The work of one run."""

    def step(self) -> Progress:
        """Do a little and say whether more is left.

        ``WAITS`` means that nothing could be done now: rows are held by others, or a key service
        or person has to act first.
        """
        ...


def counted(run_id: UUID, *, total: int, left: int) -> None:
    """Set what is left; the total never shrinks."""
    _open(run_id).update(total=Greatest(F("total"), Value(total)), left=left)


def moved(run_id: UUID, number: int, *, cursor: str | None = None, floor: int = 0) -> None:
    """Count what was done; several processes may."""
    changes: dict[str, object] = {"left": Greatest(F("left") - number, Value(floor))}
    if cursor is not None:
        changes["cursor"] = cursor
    _open(run_id).update(**changes)


def noted(run_id: UUID, note: str) -> None:
    """Say what the run leaves as it is."""
    _open(run_id).exclude(note=note[:300]).update(note=note[:300])


def seconds_since_start(run_id: UUID) -> float:
    """Return the age of a run by the clock of the keys database."""
    row = RotationRun.objects.using(KEYS).filter(pk=run_id)
    age = row.annotate(age=Now() - F("started_at")).values_list("age", flat=True).get()
    return float(age.total_seconds())


def tell_processes_to_look() -> None:
    """Let all processes ask again which keys seal and which index roots live."""
    with transaction.atomic(using=KEYS):
        Revocation.objects.using(KEYS).create(key_id=LOOK_AGAIN)
        with connections[KEYS].cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    keyring.look_again()


def _open(run_id: UUID) -> QuerySet[RotationRun]:
    """Return the run unless it is finished: a second worker may still be at it."""
    return RotationRun.objects.using(KEYS).filter(pk=run_id, finished_at__isnull=True)
