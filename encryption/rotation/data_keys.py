"""New data keys for owners, and their values sealed anew under them.

Phases: the active keys are retired a batch at a time (an owner's next value makes a new one), all
processes are told, the rows are walked through, and walked through again until nothing is found:
a process that had not heard yet may have sealed under an old key meanwhile.

Retired keys stay for reading. Bytes that are not fields (parts of the journal, archives, files)
keep them; erasing their owner deletes them.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet

from encryption import envelope, wrapping
from encryption.envelope import KEY_ID_BYTES
from encryption.errors import Erased
from encryption.fields import AnySealedField
from encryption.key_tables import DataKey, RotationRun
from encryption.keyring import WORN, KeyHandle, keyring
from encryption.rotation import jobs
from encryption.rotation.jobs import Progress
from encryption.rotation.stored import (
    FIRST_KEY,
    Place,
    Stored,
    execute,
    may_rewrite,
    own_fields,
    places,
    reopened,
    sealed_models,
    stored_rows,
)
from encryption.router import KEYS
from encryption.types import DATA, KeyState, Owner, OwnerKind
from foundation import prepared
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent

RETIRED_AT_ONCE: Final = 500
SCANNED_AT_ONCE: Final = 2000
SEALED_AT_ONCE: Final = 250
CHECK: Final = "check"

_RETIRED = (
    f"SELECT id FROM {DataKey._meta.db_table} "  # noqa: S608, SLF001  our own name
    "WHERE id = ANY(%s::bigint[]) AND state = 'retired'"
)


class DataKeysJob:
    """Retires keys of one kind of owner (or of one owner) and re-seals what they sealed."""

    def __init__(self, run: RotationRun, models: Iterable[type[Model]] | None = None) -> None:
        self._run = run
        self._models = list(sealed_models() if models is None else models)
        self._places: list[Place] | None = None
        self._place = 0
        self._after = FIRST_KEY
        self._worn: list[UUID] = []
        self._scanned = 0
        self._is_check = run.cursor == CHECK
        self._found = 0
        self._held = 0
        self._unreadable: set[tuple[str, UUID]] = set()

    def step(self) -> Progress:
        """Retire a batch of keys, or look through the next rows."""
        if self._places is None:
            retired = self._retire()
            if retired:
                return Progress.MORE
            jobs.tell_processes_to_look()
            self._begin()
            return Progress.MORE
        if self._place == len(self._places):
            return self._end_of_pass()
        self._look(self._places[self._place])
        return Progress.MORE

    def _retire(self) -> int:
        if self._run.target == WORN:
            return 0
        rows = DataKey.objects.using(KEYS).filter(
            owner_kind=self._run.purpose,
            purpose=DATA,
            state=KeyState.ACTIVE,
            created_at__lt=self._run.started_at,
        )
        if self._run.target:
            rows = rows.filter(owner_id=UUID(self._run.target))
        with transaction.atomic(using=KEYS):
            found = list(
                rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[
                    :RETIRED_AT_ONCE
                ]
            )
            rows.filter(pk__in=found).update(state=KeyState.RETIRED)
        if found:
            details = {"kind": self._run.purpose, "keys": str(len(found))}
            key_journal.record(KeyEvent("encryption.key.rotated", details=details))
        return len(found)

    def _begin(self) -> None:
        """Find the places, and go on where a run that was broken off had come to."""
        kind = self._run.purpose
        fields = {model: self._of_kind(model, kind) for model in self._models}
        open_to_us = {
            model: tuple(field for field in found if may_rewrite(model, field))
            for model, found in fields.items()
        }
        closed = [
            field.label
            for model, found in fields.items()
            for field in found
            if field not in open_to_us[model]
        ]
        if closed:
            jobs.noted(self._run.pk, "kept under the retired key: " + ", ".join(closed))
        self._places = places(self._models, open_to_us)
        if self._run.total <= 1:
            rows = sum(_rows_of(place) for place in self._places)
            jobs.counted(self._run.pk, total=rows + 1, left=rows + 1)
        self._resume(self._places)

    def _of_kind(self, model: type[Model], kind: str) -> tuple[AnySealedField, ...]:
        return tuple(field for field in own_fields(model) if field.owner_kind == kind)

    def _resume(self, found: Sequence[Place]) -> None:
        name, _, key = self._run.cursor.rpartition(" ")
        for number, place in enumerate(found):
            if place.name == name:
                self._place, self._after = number, UUID(key)

    def _look(self, place: Place) -> None:
        """Look through the next rows of a place, or seal anew what was found in them."""
        if self._worn:
            batch, self._worn = self._worn[:SEALED_AT_ONCE], self._worn[SEALED_AT_ONCE:]
            with place.scope():
                self._seal(place, batch)
            self._moved(place, batch[-1], 0)
            if not self._worn:
                self._pass_by(place)
            return
        with place.scope():
            rows = _scan(place, self._after)
        self._scanned = len(rows)
        self._worn = self._worn_among(place, rows)
        self._after = rows[-1].row if rows else self._after
        if not self._worn:
            self._pass_by(place)

    def _pass_by(self, place: Place) -> None:
        """Go on behind the rows that were looked through."""
        self._moved(place, self._after, self._scanned)
        if self._scanned < SCANNED_AT_ONCE:
            self._place, self._after = self._place + 1, FIRST_KEY

    def _moved(self, place: Place, after: UUID, done: int) -> None:
        if not self._is_check:
            jobs.moved(self._run.pk, done, cursor=f"{place.name} {after}", floor=1)

    def _worn_among(self, place: Place, rows: Sequence[Stored]) -> list[UUID]:
        """Return the rows that hold a value under a retired key."""
        ids = {key_id for row in rows for key_id in row.cells if key_id is not None}
        numbers = [wrapping.id_number(key_id) for key_id in ids if len(key_id) == KEY_ID_BYTES]
        retired = {
            wrapping.id_bytes(int(str(number)))
            for (number,) in prepared.fetch(_RETIRED, [numbers], using=KEYS)
        }
        return [
            row.row
            for row in rows
            if (place.name, row.row) not in self._unreadable
            and any(key_id in retired for key_id in row.cells)
        ]

    def _seal(self, place: Place, keys: Sequence[UUID]) -> None:
        columns = ", ".join(place.columns)
        statement = (
            f"SELECT {place.key}, {columns} FROM {place.table} "  # noqa: S608  our own names
            f"WHERE {place.key} = ANY(%s) FOR UPDATE SKIP LOCKED"
        )
        rows = stored_rows(statement, [list(keys)])
        self._found += len(keys)
        self._held += len(keys) - len(rows)
        _preload(rows)
        sealed = [self._resealed(place, row) for row in rows]
        _write(place, [row for row in sealed if row is not None])

    def _resealed(self, place: Place, row: Stored) -> Stored | None:
        """Return the row with its values under active keys; None where one cannot be opened."""
        cells: list[bytes | None] = []
        for field, cell in zip(place.fields, row.cells, strict=True):
            fresh = None if cell is None else _sealed_anew(field, cell, row.row)
            if cell is not None and fresh is None:
                self._unreadable.add((place.name, row.row))
            cells.append(fresh or cell)
        return Stored(row.row, tuple(cells))

    def _end_of_pass(self) -> Progress:
        """End after a pass that found nothing, which was one whole pass of this process."""
        if self._is_check and not self._found:
            if self._unreadable:
                jobs.noted(self._run.pk, f"{len(self._unreadable)} rows cannot be opened")
            return Progress.DONE
        waits = self._is_check and self._found == self._held
        self._is_check, self._place, self._after = True, 0, FIRST_KEY
        self._found = self._held = 0
        jobs.moved(self._run.pk, self._run.total, cursor=CHECK, floor=1)
        return Progress.WAITS if waits else Progress.MORE


def _rows_of(place: Place) -> int:
    with place.scope():
        rows: QuerySet[Model] = QuerySet(place.model, using="default")
        if place.organisation is not None:
            rows = rows.filter(organisation_id=place.organisation)
        return rows.count()


def _scan(place: Place, after: UUID) -> list[Stored]:
    """Return key and key ids of the next rows, without reading values."""
    ids = ", ".join(f"substring({column} FROM 2 FOR 8)" for column in place.columns)
    condition = "" if place.organisation is None else "organisation_id = %s AND "
    given: list[object] = [] if place.organisation is None else [place.organisation]
    statement = (
        f"SELECT {place.key}, {ids} FROM {place.table} "  # noqa: S608  our own names
        f"WHERE {condition}{place.key} > %s ORDER BY {place.key} LIMIT %s"
    )
    return stored_rows(statement, [*given, after, SCANNED_AT_ONCE])


def _preload(rows: Sequence[Stored]) -> None:
    """Load the keys of all values, and make the new ones of their owners, in few statements."""
    ids = {cell[1:9] for row in rows for cell in row.cells if cell is not None}
    keyring.preload(ids)
    handles = [keyring.get(key_id) for key_id in ids]
    keyring.preload_owners(
        {Owner(OwnerKind(old.kind), old.owner_id) for old in handles if old is not None}
    )


def _sealed_anew(field: AnySealedField, cell: bytes, row: UUID) -> bytes | None:
    opened = reopened(cell, field, row)
    if opened is None:
        return None
    handle = _fresh(opened.handle)
    if handle is None or handle.key_id == opened.handle.key_id:
        return cell if handle is not None else None
    return envelope.seal(
        handle.cipher,
        header=handle.header,
        label=field.label_part,
        row=row.bytes,
        plaintext=opened.plaintext,
    )


def _fresh(old: KeyHandle) -> KeyHandle | None:
    try:
        return keyring.for_sealing(Owner(OwnerKind(old.kind), old.owner_id))
    except Erased:
        return None


def _write(place: Place, rows: Sequence[Stored]) -> None:
    if not rows:
        return
    columns = place.columns
    arrays = ", ".join(["%s::uuid[]", *("%s::bytea[]" for _ in columns)])
    names = ", ".join(f"c{number}" for number in range(len(columns)))
    changes = ", ".join(f"{column} = fresh.c{n}" for n, column in enumerate(columns))
    statement = (
        f"UPDATE {place.table} AS stored SET {changes} "  # noqa: S608  our own names
        f"FROM UNNEST({arrays}) AS fresh (id, {names}) WHERE stored.{place.key} = fresh.id"
    )
    cells = [list(column) for column in zip(*(row.cells for row in rows), strict=True)]
    execute(statement, [[row.row for row in rows], *cells])
