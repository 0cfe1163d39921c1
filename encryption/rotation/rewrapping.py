"""Wrap keys anew under the active epoch; the keys themselves, and all values, stay as they are.

Two processes may overlap: each takes rows that nobody holds. A row that was deleted meanwhile is
never written back, since rows are only updated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from encryption import wrapping
from encryption.blind_index import index_key_facts
from encryption.database import alias_of
from encryption.epochs import Kek, active_row, ring
from encryption.errors import Tampered
from encryption.key_tables import DataKey, IndexKey, KekEpoch, KekWrap, RootVersion, SigningKey
from encryption.keyring import data_key_facts
from encryption.providers.base import Context
from encryption.router import KEYS
from encryption.signing import signing_key_facts
from encryption.types import VAULT, KeyState

BATCH: Final = 500

WrappedRow = DataKey | IndexKey | SigningKey


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of wrapped keys and what is bound to each."""

    model: type[Model]
    facts: Callable[[WrappedRow], Context]


_DATA = _Table(DataKey, cast("Callable[[WrappedRow], Context]", data_key_facts))
_OTHERS = (
    _Table(IndexKey, cast("Callable[[WrappedRow], Context]", index_key_facts)),
    _Table(SigningKey, cast("Callable[[WrappedRow], Context]", signing_key_facts)),
)


class Rewrapping:
    """Moves the keys of a purpose to the active epoch, a batch at a time.

    Attributes:
        broken: ids of key rows that do not open; they stay where they are.
    """

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self._tables = (_DATA,) if purpose == VAULT else (_DATA, *_OTHERS)
        self._after: int | None = None
        self.broken: set[int] = set()

    def batch(self) -> int:
        """Move one batch and return how many keys it held; 0 where none is left or free."""
        return ring.under_active(self._purpose, self._move)

    def left(self) -> int:
        """Return how many keys are not under the active epoch."""
        active = active_row(self._purpose)
        if active is None:
            return 0
        return sum(self._elsewhere(table, active.pk).count() for table in self._tables)

    def _move(self, kek: Kek, alias: str) -> int:
        for table in self._tables:
            if rows := self._take(table, kek.row_id):
                moved = [row for row in rows if self._rewrap(table, row, kek)]
                _write(table.model, moved, kek.row_id, alias)
                return len(moved)
        return 0

    def _take(self, table: _Table, active: int) -> list[WrappedRow]:
        """Lock the next rows by key; at the end begin once more with those that were held."""
        found = self._elsewhere(table, active).exclude(pk__in=self.broken).order_by("pk")
        free = found.select_for_update(skip_locked=True)
        if table is not _DATA:
            return cast("list[WrappedRow]", list(free[:BATCH]))
        began = self._after
        rows: list[Model] = list((free if began is None else free.filter(pk__gt=began))[:BATCH])
        if not rows and began is not None:
            rows = list(free[:BATCH])
        self._after = rows[-1].pk if rows else None
        return cast("list[WrappedRow]", rows)

    def _elsewhere(self, table: _Table, active: int) -> QuerySet[Model]:
        every: QuerySet[Model] = QuerySet(table.model, using=alias_of(self._purpose))
        rows = every.exclude(epoch=active)
        if table is not _DATA:
            return rows
        is_vault = self._purpose == VAULT
        return rows.filter(purpose=VAULT) if is_vault else rows.exclude(purpose=VAULT)

    def _rewrap(self, table: _Table, row: WrappedRow, kek: Kek) -> bool:
        old = ring.get(row.epoch_id, self._purpose)
        try:
            raw = wrapping.unwrap(old.cipher, bytes(row.blob), table.facts(row))
        except Tampered:
            self.broken.add(row.pk)
            return False
        row.epoch_id = kek.row_id
        row.blob = wrapping.wrap(kek.cipher, raw, table.facts(row))
        return True


def note_empty_epochs(purpose: str) -> int:
    """Note which epochs have no keys left, and retire root versions that none needs.

    No key can come under an epoch that is not active (``KekRing.under_active``), so what is found
    empty stays empty.
    """
    alias = alias_of(purpose)
    old = KekEpoch.objects.using(alias).filter(
        purpose=purpose, state=KeyState.RETIRED, wraps__emptied_at__isnull=True
    )
    empty = [row.pk for row in old if not keys_under(row)]
    KekWrap.objects.using(alias).filter(epoch__in=empty, emptied_at__isnull=True).update(
        emptied_at=Now()
    )
    needed = KekWrap.objects.using(KEYS).filter(emptied_at__isnull=True)
    versions = RootVersion.objects.using(KEYS).filter(state=KeyState.ACTIVE)
    versions.exclude(pk__in=needed.values("root_version")).update(state=KeyState.RETIRED)
    return len(empty)


def keys_under(row: KekEpoch) -> int:
    """Return how many keys stand under an epoch."""
    alias = alias_of(row.purpose)
    tables: tuple[type[Model], ...] = (
        (DataKey,) if row.purpose == VAULT else (DataKey, IndexKey, SigningKey)
    )
    return sum(QuerySet(model, using=alias).filter(epoch=row.pk).count() for model in tables)


def _write(model: type[Model], rows: Sequence[WrappedRow], epoch: int, alias: str) -> None:
    table = model._meta.db_table  # noqa: SLF001  Django's model API
    statement = (
        f"UPDATE {table} AS stored SET epoch_id = %s, blob = moved.blob "  # noqa: S608  our own
        "FROM UNNEST(%s::bigint[], %s::bytea[]) AS moved (id, blob) WHERE stored.id = moved.id"
    )
    columns = ([row.pk for row in rows], [row.blob for row in rows])
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, [epoch, *columns])
