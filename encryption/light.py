"""Rows of hot lists: columns as tuples, without an object for each row (runtime.md 5).

Making objects costs several times what opening their values costs, and composing the statement as
much as answering it. So the statement is written out, and a light row gives the columns that were
asked for. Its sealed values are bound to their row and owners like those of an object; ``opened``
opens them one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast
from uuid import UUID

from django.db import router
from django.db.models import Model

from encryption import blind_index
from encryption.fields import AnySealedField, SealedField
from encryption.key_tables import BlindIndexEntry
from encryption.keyring import keyring
from encryption.values import UNOPENED, Row, Sealed
from foundation import prepared
from foundation.tenancy import ScopedManager, required_organisation

LightRow = tuple[object, ...]

_LISTED = (
    f"= ANY(ARRAY(SELECT row FROM {BlindIndexEntry._meta.db_table} "  # noqa: S608, SLF001
    "WHERE label = %s AND digest IN ({places})))"
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How rows of a model are read: its key, then the owners, then what was asked for.

    Attributes:
        statement: takes what its condition asks and, where the model is scoped, the organisation.
        owners: columns that own sealed values.
        sealed: place in a row and label of each sealed value.
        first: place of the first column that was asked for.
        is_scoped: whether the rows belong to an organisation.
    """

    statement: str
    owners: tuple[str, ...]
    sealed: tuple[tuple[int, bytes], ...]
    first: int
    is_scoped: bool


def light_rows(
    model: type[Model], *names: str, column: str, among: Iterable[UUID]
) -> list[LightRow]:
    """Return columns of all rows whose ``column`` is one of some ids, with their keys loaded.

    Args:
        model: a model with sealed fields; of a scoped one only rows of the open organisation.
        names: attribute names of the columns wanted: sealed ones, and plain ones of types that
            the driver gives as they are (text, number, time, UUID).
        column: a column of ids, such as the key or a foreign key.
        among: the ids.

    Raises:
        ScopeMissing: a scoped model was asked outside ``organisation_scope``.
    """
    return _read(model, names, f"{_column(model, column)} = ANY(%s)", [list(among)])


def light_matches(model: type[Model], *names: str, **value: object) -> list[LightRow]:
    """Return columns of the rows whose sealed field equals a value, found by its blind index.

    What is found is opened and compared, as ``SealedQuerySet.matching`` does with objects.

    Args:
        model: a model with sealed fields; of a scoped one only rows of the open organisation.
        names: attribute names of the columns wanted, see :func:`light_rows`.
        value: name of the field and the value looked for.

    Raises:
        TypeError: the field has no blind index.
        ScopeMissing: a scoped model was asked outside ``organisation_scope``.
    """
    ((name, wanted),) = value.items()
    field = _field(model, name)
    if not field.blind_index:
        raise TypeError(f"{field.label} has no blind index")
    normal = field.normalise(wanted)
    digests = blind_index.digests_of_normal(field, normal)
    listed = _LISTED.format(places=", ".join(["%s"] * len(digests)))
    given: list[object] = [field.label, *digests]
    rows = _read(model, (name, *names), f"{_column(model, 'pk')} {listed}", given)
    return [row[1:] for row in rows if field.normalise(opened(model, name, row[0])) == normal]


def opened(model: type[Model], name: str, value: object) -> object:
    """Return the plain value of a column of a light row.

    Raises:
        Tampered: changed, moved, or sealed for another owner.
        Erased: the owner's keys were destroyed.
        KeyLost: the key is not in the keys database.
        KeysUnavailable: the key service or the keys database is away.
    """
    if value.__class__ is not Sealed:
        return value
    if value.value is UNOPENED:
        _field(model, name).open(value, None)
    return value.value


def _read(
    model: type[Model], names: tuple[str, ...], condition: str, given: list[object]
) -> list[LightRow]:
    shape = _shape(model, names, condition)
    if shape.is_scoped:
        given.append(required_organisation())
    found = prepared.fetch(shape.statement, given, using=router.db_for_read(model))
    key_ids: set[bytes] = set()
    rows = [_bound(shape, values, key_ids) for values in found]
    keyring.preload(key_ids)
    return rows


def _bound(shape: _Shape, found: LightRow, key_ids: set[bytes]) -> LightRow:
    values = list(found)
    row: Row | None = None
    for place, label in shape.sealed:
        stored = values[place]
        if stored is not None:
            row = row or _row_of(shape, found)
            ciphertext = bytes(cast("bytes", stored))
            key_ids.add(ciphertext[1:9])
            values[place] = Sealed(ciphertext, label, row)
    return tuple(values[shape.first :])


def _row_of(shape: _Shape, found: LightRow) -> Row:
    owners = cast("tuple[UUID | None, ...]", found[1 : shape.first])
    return Row(cast("UUID", found[0]).bytes, dict(zip(shape.owners, owners, strict=True)))


@cache
def _field(model: type[Model], name: str) -> AnySealedField:
    return cast("AnySealedField", model._meta.get_field(name))  # noqa: SLF001  Django's model API


@cache
def _column(model: type[Model], name: str) -> str:
    meta = model._meta  # noqa: SLF001  Django's model API
    fields = {field.attname: field for field in meta.concrete_fields}
    return f'"{(meta.pk if name == "pk" else fields[name]).column}"'


@cache
def _shape(model: type[Model], names: tuple[str, ...], condition: str) -> _Shape:
    meta = model._meta  # noqa: SLF001
    fields = {field.attname: field for field in meta.concrete_fields}
    sealed = {name: field for name in names if isinstance(field := fields[name], SealedField)}
    owners = tuple({field.owner: None for field in sealed.values()})
    first = 1 + len(owners)
    chosen = ", ".join(f'"{fields[name].column}"' for name in (meta.pk.attname, *owners, *names))
    is_scoped = isinstance(model._default_manager, ScopedManager)  # noqa: SLF001
    return _Shape(
        statement=(
            f'SELECT {chosen} FROM "{meta.db_table}" '  # noqa: S608  names of the model only
            f"WHERE {condition}"
            f"{' AND organisation_id = %s' if is_scoped else ''}"
        ),
        owners=owners,
        sealed=tuple(
            (first + place, sealed[name].label_part)
            for place, name in enumerate(names)
            if name in sealed
        ),
        first=first,
        is_scoped=is_scoped,
    )
