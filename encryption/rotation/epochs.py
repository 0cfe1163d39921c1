"""Jobs that move keys to a new epoch, under the present root version or under a new one."""

import re
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connections, transaction

from encryption.epochs import active_row
from encryption.errors import KeysUnavailable, Refused
from encryption.key_tables import RotationRun
from encryption.providers import base, key_file
from encryption.providers.chosen import key_service
from encryption.rotation import jobs
from encryption.rotation.jobs import Progress
from encryption.rotation.rewrapping import Rewrapping, note_empty_epochs
from encryption.rotation.switching import switch_epoch
from encryption.router import KEYS
from foundation.errors import Conflict

_ROOT_LOCK: Final = 7_316_102
_KEY_FILE: Final = re.compile(r"^key_file:\d+$")


class EpochJob:
    """Switches to the epoch of the run's number, then moves all keys to it."""

    def __init__(self, run: RotationRun) -> None:
        self._run = run
        self._rewrapping = Rewrapping(run.purpose)
        self._has_switched = False

    def step(self) -> Progress:
        """Switch, move a batch, or find that nothing is left."""
        if not self._has_switched:
            self.switch()
            self._has_switched = True
            left = self._rewrapping.left()
            jobs.counted(self._run.pk, total=left, left=left)
            return Progress.MORE
        moved = self._rewrapping.batch()
        if moved:
            jobs.moved(self._run.pk, moved)
            return Progress.MORE
        return self._end()

    def switch(self) -> None:
        """Make the wanted epoch the active one."""
        if not self._run.target:
            self._run.target = _next_number(self._run)
        switch_epoch(self._run.purpose, number=int(self._run.target))

    def _end(self) -> Progress:
        left = self._rewrapping.left()
        jobs.counted(self._run.pk, total=left, left=left)
        if not left:
            note_empty_epochs(self._run.purpose)
            return Progress.DONE
        broken = len(self._rewrapping.broken)
        if broken:
            jobs.noted(self._run.pk, f"{broken} keys do not open: they were changed or damaged")
        return Progress.WAITS


class RootJob(EpochJob):
    """Moves all keys to an epoch under another root version, perhaps of another key service."""

    def switch(self) -> None:
        """Make a new root version where none waits, and an epoch under it."""
        if not self._run.target:
            self._run.target = _next_root(self._run)
        switch_epoch(self._run.purpose, root_version=self._run.target)


def present_root(purpose: str) -> str:
    """Return the name of the root version that wraps the active epoch; empty without one."""
    row = active_row(purpose)
    return "" if row is None else row.root_version_id


def _next_number(run: RotationRun) -> str:
    """Return the number of the epoch to move to and remember it; the first process decides."""
    active = active_row(run.purpose)
    rows = RotationRun.objects.using(KEYS).filter(pk=run.pk)
    rows.filter(target="").update(target=str(1 if active is None else active.number + 1))
    return rows.values_list("target", flat=True).get()


def _next_root(run: RotationRun) -> str:
    """Return the root version to move to and remember it; one process at a time decides.

    The key file gets a new line. Elsewhere the operator makes a new version or key first.

    Raises:
        KeysUnavailable: the key service is away.
        Conflict: the operator has not made a new version.
    """
    rows = RotationRun.objects.using(KEYS).filter(pk=run.pk)
    with transaction.atomic(using=KEYS):
        with connections[KEYS].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ROOT_LOCK])
        known = rows.values_list("target", flat=True).get()
        if known:
            return known
        try:
            version = _other_version(run.source)
        except base.Unavailable as error:
            raise KeysUnavailable(str(error)) from error
        except base.KeyServiceError as error:
            raise Refused(str(error)) from error
        rows.update(target=version)
    return version


def _other_version(source: str) -> str:
    service = key_service()
    if service.version == source:
        if not _KEY_FILE.match(source):
            raise Conflict(
                f"make a new root version in the key service first; {source} still wraps",
                code="encryption.root_version_missing",
            )
        key_file.add_version(Path(settings.ROOT_KEY_FILE))
    return service.version
