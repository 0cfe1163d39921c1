"""Rows of hot lists: columns as tuples, without an object for each row (runtime.md 5).

Making objects costs several times what opening their values costs. A light row gives the columns
that were asked for; its sealed values are bound to their row and owners like those of an object,
and ``opened`` opens them one by one.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from django.db.models import Model, QuerySet

from encryption.fields import AnySealedField, SealedField
from encryption.keyring import keyring
from encryption.values import UNOPENED, Row, Sealed

if TYPE_CHECKING:
    from uuid import UUID

LightRow = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which columns are read: the key, then the owners, then what was asked for."""

    columns: tuple[str, ...]
    owners: tuple[str, ...]
    sealed: tuple[int, ...]
    first: int


def light_rows(queryset: QuerySet[Model], *names: str) -> list[LightRow]:
    """Return columns of all rows, with the keys of their sealed values loaded in one query.

    Args:
        queryset: of a model with sealed fields.
        names: attribute names of the columns wanted, plain and sealed.
    """
    shape = _shape(queryset.model, names)
    rows = cast("list[LightRow]", list(queryset.values_list(*shape.columns)))
    key_ids: set[bytes] = set()
    for values in rows:
        row = Row(
            cast("UUID", values[0]).bytes,
            dict(zip(shape.owners, cast("tuple[UUID | None, ...]", values[1:]), strict=False)),
        )
        for position in shape.sealed:
            value = values[position]
            if isinstance(value, Sealed):
                value.row = row
                key_ids.add(value.ciphertext[1:9])
    keyring.preload(key_ids)
    return [values[shape.first :] for values in rows]


def opened(model: type[Model], name: str, value: object) -> object:
    """Return the plain value of a column of a light row.

    Raises:
        Tampered: changed, moved, or sealed for another owner.
        Erased: the owner's keys were destroyed.
        KeyLost: the key is not in the keys database.
        KeysUnavailable: the key service or the keys database is away.
    """
    if not isinstance(value, Sealed):
        return value
    if value.value is UNOPENED:
        _field(model, name).open(value, None)
    return value.value


@cache
def _field(model: type[Model], name: str) -> AnySealedField:
    return cast("AnySealedField", model._meta.get_field(name))  # noqa: SLF001  Django's model API


@cache
def _shape(model: type[Model], names: tuple[str, ...]) -> _Shape:
    meta = model._meta  # noqa: SLF001
    fields = {field.attname: field for field in meta.concrete_fields}
    sealed = [name for name in names if isinstance(fields[name], SealedField)]
    owners = tuple({cast("AnySealedField", fields[name]).owner: None for name in sealed})
    first = 1 + len(owners)
    return _Shape(
        columns=(meta.pk.attname, *owners, *names),
        owners=owners,
        sealed=tuple(first + names.index(name) for name in sealed),
        first=first,
    )
