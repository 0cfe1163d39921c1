"""New index root: made, lived with, filled, then the only one.

While the new root is pending, both live: what is written gets both digests, look-ups compare both.
Rows without a digest under the new root are found by the database and filled in batches. Then the
new root becomes the active one, and digests under the old one go where the new one stands beside.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Model, QuerySet

from encryption import blind_index
from encryption.database import lock_for_erasing
from encryption.fields import AnySealedField
from encryption.key_tables import BlindIndexEntry, IndexKey, RotationRun
from encryption.keyring import keyring
from encryption.normalisation import VERSION
from encryption.rotation import jobs
from encryption.rotation.jobs import Progress
from encryption.rotation.stored import (
    FIRST_KEY,
    Place,
    Stored,
    execute,
    number,
    own_fields,
    places,
    reopened,
    sealed_models,
    stored_rows,
)
from encryption.router import DEFAULT, KEYS
from encryption.types import KeyState
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent

if TYPE_CHECKING:
    from uuid import UUID

BATCH: Final = 500
SETTLE_SECONDS: Final = 60.0
"""A transaction of the web role ends within it, and each begins by looking for news."""

_MISSING = (
    "{column} IS NOT NULL AND NOT EXISTS (SELECT FROM encryption_blindindexentry AS listed "
    "WHERE listed.row = stored.{key} AND listed.label = %s AND listed.epoch = %s "
    "AND listed.norm = %s)"
)
_INSERT = blind_index.INSERT + "ON CONFLICT (row, label, epoch, norm) DO NOTHING"
_DELETE = """
DELETE FROM encryption_blindindexentry AS old WHERE old.id IN (
    SELECT found.id FROM encryption_blindindexentry AS found
    WHERE found.epoch <> %s AND EXISTS (
        SELECT FROM encryption_blindindexentry AS kept WHERE kept.row = found.row
        AND kept.label = found.label AND kept.norm = found.norm AND kept.epoch = %s)
    LIMIT %s)
"""


class IndexJob:
    """Moves the blind index to the index root of the run's number.

    Args:
        run: the run.
        models: whose digests; all by default.
        settle_seconds: how long both roots live at least.
    """

    def __init__(
        self,
        run: RotationRun,
        models: Iterable[type[Model]] | None = None,
        *,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._settle_seconds = settle_seconds
        self._run = run
        self._number = int(run.target)
        self._models = list(sealed_models() if models is None else models)
        self._places: list[Place] | None = None
        self._place = 0
        self._after = FIRST_KEY
        self._unreadable: set[tuple[str, UUID]] = set()

    def step(self) -> Progress:
        """Make the root, fill a batch, switch, or drop old digests."""
        if self._places is None:
            self._begin()
            return Progress.MORE
        if self._place < len(self._places):
            self._fill(self._places[self._place])
            return Progress.MORE
        if self._missing():
            self._place, self._after = 0, FIRST_KEY
            return Progress.WAITS
        return self._drop() if self._is_active() else self._switch()

    def _begin(self) -> None:
        if not self._is_active():
            blind_index.make_root(self._number, state=KeyState.PENDING)
            jobs.tell_processes_to_look()
        blind_index.keys.drop()
        of_models = {
            model: tuple(field for field in own_fields(model) if field.blind_index)
            for model in self._models
        }
        self._places = [
            Place(place.model, (field,), place.organisation)
            for place in places(self._models, of_models)
            for field in place.fields
        ]
        left = self._missing() + self._old().count()
        jobs.counted(self._run.pk, total=2 * self._old().count(), left=left)

    def _is_active(self) -> bool:
        rows = IndexKey.objects.using(KEYS).filter(state=KeyState.ACTIVE)
        return rows.filter(epoch_number__gte=self._number).exists()

    def _fill(self, place: Place) -> None:
        with place.scope():
            rows = self._take(place)
            if rows:
                keyring.preload({row.cells[0][1:9] for row in rows if row.cells[0] is not None})
                self._index(place.fields[0], rows)
        if rows:
            self._after = rows[-1].row
            jobs.moved(self._run.pk, len(rows), floor=1)
        else:
            self._place, self._after = self._place + 1, FIRST_KEY

    def _take(self, place: Place) -> list[Stored]:
        """Lock the next rows that have no digest under the new root."""
        condition, given = self._condition(place)
        statement = (
            f"SELECT stored.{place.key}, {place.columns[0]} FROM {place.table} AS stored "  # noqa: S608
            f"WHERE {condition} AND stored.{place.key} > %s ORDER BY stored.{place.key} LIMIT %s "
            "FOR UPDATE OF stored SKIP LOCKED"
        )
        return stored_rows(statement, [*given, self._after, BATCH])

    def _index(self, field: AnySealedField, rows: Sequence[Stored]) -> None:
        key = next(
            found.key
            for found in blind_index.keys.keys(field.label_part)
            if found.epoch == self._number
        )
        digests: list[bytes] = []
        listed: list[UUID] = []
        owners: list[UUID] = []
        for row, (cell,) in rows:
            opened = None if cell is None else reopened(cell, field, row)
            if opened is None:
                self._unreadable.add((field.label, row))
                continue
            digests.append(
                blind_index.digest_under(key, field.normalise(field.decode(opened.plaintext)))
            )
            listed.append(row)
            owners.append(opened.handle.owner_id)
        count = len(listed)
        kinds = [str(field.owner_kind)] * count
        columns = ([self._number] * count, [field.label] * count, digests, listed, kinds, owners)
        execute(_INSERT, [VERSION, *columns])

    def _missing(self) -> int:
        """Return how many readable values have no digest under the new root."""
        found = 0
        for place in self._places or ():
            condition, given = self._condition(place)
            statement = f"SELECT count(*) FROM {place.table} AS stored WHERE {condition}"  # noqa: S608
            with place.scope():
                found += number(statement, given)
        return max(found - len(self._unreadable), 0)

    def _condition(self, place: Place) -> tuple[str, list[object]]:
        field = place.fields[0]
        condition = _MISSING.format(column=place.columns[0], key=place.key)
        given: list[object] = [field.label, self._number, VERSION]
        if place.organisation is not None:
            return f"organisation_id = %s AND {condition}", [place.organisation, *given]
        return condition, given

    def _switch(self) -> Progress:
        """Make the new root the active one, once every process has heard that it lives."""
        if jobs.seconds_since_start(self._run.pk) < self._settle_seconds:
            return Progress.WAITS
        rows = IndexKey.objects.using(KEYS)
        with transaction.atomic(using=KEYS):
            lock_for_erasing(KEYS)
            new = rows.filter(epoch_number=self._number, state=KeyState.PENDING)
            rows.filter(state=KeyState.ACTIVE, epoch_number__lt=self._number).update(
                state=KeyState.RETIRED
            )
            is_ours = new.update(state=KeyState.ACTIVE)
        jobs.tell_processes_to_look()
        if is_ours:
            details = {"key": f"index root {self._number}"}
            key_journal.record(KeyEvent("encryption.key.rotated", details=details))
        self._place, self._after = 0, FIRST_KEY  # what a late process wrote is filled once more
        return Progress.MORE

    def _drop(self) -> Progress:
        gone = execute(_DELETE, [self._number, self._number, BATCH])
        for label, row in self._unreadable:
            self._old().filter(label=label, row=row).delete()
        if gone:
            jobs.moved(self._run.pk, gone, floor=1)
            return Progress.MORE
        if self._old().exists():
            self._place, self._after = 0, FIRST_KEY
            return Progress.WAITS
        return Progress.DONE

    def _old(self) -> QuerySet[BlindIndexEntry]:
        return BlindIndexEntry.objects.using(DEFAULT).exclude(epoch=self._number)
