"""Stored sealed values as jobs meet them: bytes of tables, walked through by key."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, cast
from uuid import UUID

from django.apps import apps
from django.db import connections, transaction
from django.db.models import Model

from encryption import envelope
from encryption.errors import Erased, KeyLost, Tampered
from encryption.fields import AnySealedField, SealedField
from encryption.keyring import KeyHandle, keyring
from encryption.router import DEFAULT
from foundation.contracts.organisations import organisation_directory
from foundation.tenancy import ScopedManager, organisation_scope

FIRST_KEY = UUID(int=0)


class Stored(NamedTuple):
    """A row: its key, and bytes of each sealed column that was asked for."""

    row: UUID
    cells: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Sealed columns of a table, of one organisation where its rows have one."""

    model: type[Model]
    fields: tuple[AnySealedField, ...]
    organisation: UUID | None = None

    @property
    def name(self) -> str:
        """Name under which a run remembers the place."""
        return f"{self.model._meta.label} {self.organisation or '-'}"  # noqa: SLF001

    @property
    def table(self) -> str:
        """Quoted name of the table."""
        return f'"{self.model._meta.db_table}"'  # noqa: SLF001  Django's model API

    @property
    def key(self) -> str:
        """Quoted name of the key's column."""
        return f'"{self.model._meta.pk.column}"'  # noqa: SLF001

    @property
    def columns(self) -> list[str]:
        """Quoted names of the sealed columns."""
        return [f'"{field.column}"' for field in self.fields]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Open a transaction in which the rows of the place are seen."""
        if self.organisation is None:
            with transaction.atomic(using=DEFAULT):
                yield
        else:
            with organisation_scope(self.organisation, using=DEFAULT):
                yield


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened value with the key that opened it."""

    handle: KeyHandle
    plaintext: bytes


def sealed_models() -> list[type[Model]]:
    """Return the installed models that have sealed columns of their own."""
    return [model for model in apps.get_models() if not model._meta.proxy and own_fields(model)]  # noqa: SLF001


@cache
def own_fields(model: type[Model]) -> tuple[AnySealedField, ...]:
    """Return the sealed fields of a model's own table."""
    fields = model._meta.local_concrete_fields  # noqa: SLF001  Django's model API
    return tuple(field for field in fields if isinstance(field, SealedField))


def places(
    models: Iterable[type[Model]], fields_of: "dict[type[Model], tuple[AnySealedField, ...]]"
) -> list[Place]:
    """Return all places where the given fields of models stand."""
    organisations: Sequence[UUID] | None = None
    found = []
    for model in models:
        fields = fields_of.get(model, ())
        if not fields:
            continue
        if not isinstance(model._default_manager, ScopedManager):  # noqa: SLF001
            found.append(Place(model, fields))
            continue
        if organisations is None:
            organisations = organisation_directory.implementation.all_ids()
        found += [Place(model, fields, organisation) for organisation in organisations]
    return found


def may_rewrite(model: type[Model], field: AnySealedField) -> bool:
    """Say whether the web role reads and writes a column; some payloads it does not."""
    meta = model._meta  # noqa: SLF001
    statement = (
        "SELECT has_column_privilege(current_user, %s, %s, 'SELECT') "
        "AND has_column_privilege(current_user, %s, %s, 'UPDATE')"
    )
    given = [f'"{meta.db_table}"', field.column]
    with connections[DEFAULT].cursor() as cursor:
        cursor.execute(statement, [*given, *given])
        return bool(cursor.fetchone()[0])


def reopened(ciphertext: bytes, field: AnySealedField, row: UUID) -> Opened | None:
    """Open a stored value; None where that does not work and will not.

    Raises:
        KeysUnavailable: the key service or the keys database is away.
    """
    try:
        handle = keyring.get(envelope.key_id_of(ciphertext))
        if handle is None or handle.realm != field.realm:
            return None
        place = field.label_part + row.bytes
        return Opened(handle, envelope.open_sealed(handle.cipher, ciphertext, place))
    except (Tampered, Erased, KeyLost):
        return None


def stored_rows(statement: str, given: Sequence[object]) -> list[Stored]:
    """Return what a statement on ``default`` gives: key and binary columns."""
    with connections[DEFAULT].cursor() as cursor:
        cursor.execute(statement, cast("Sequence[str]", given))  # the stubs know few types
        return [
            Stored(row[0], tuple(None if cell is None else bytes(cell) for cell in row[1:]))
            for row in cursor.fetchall()
        ]


def number(statement: str, given: Sequence[object]) -> int:
    """Return the one number that a statement on ``default`` gives."""
    with connections[DEFAULT].cursor() as cursor:
        cursor.execute(statement, cast("Sequence[str]", given))
        return int(cursor.fetchone()[0])


def execute(statement: str, given: Sequence[object]) -> int:
    """Run a statement on ``default`` that gives no rows; return how many it wrote."""
    with connections[DEFAULT].cursor() as cursor:
        cursor.execute(statement, cast("Sequence[str]", given))
        return int(cursor.rowcount)
