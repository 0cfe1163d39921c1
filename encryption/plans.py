"""What a model class seals, and where an instance's values stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from encryption.fields import AnySealedField, SealedField, as_uuid
from encryption.types import Owner
from encryption.values import Row, Sealed


@dataclass(frozen=True, slots=True)
class Plan:
    """What a model class seals.

    Attributes:
        key: attribute of the key.
        names: attributes of the sealed values.
        columns: with their places among all columns.
        width: number of all columns.
        owners: attribute of each owner, with both its names.
        sharing: attributes of values that one owner's key seals, owner by owner.
        fields: the sealed fields.
        indexed: those with a blind index.
    """

    key: str
    names: tuple[str, ...]
    columns: tuple[tuple[str, int], ...]
    width: int
    owners: dict[str, tuple[str, str]]
    sharing: tuple[tuple[str, ...], ...]
    fields: tuple[AnySealedField, ...]
    indexed: tuple[AnySealedField, ...]


def sealed_fields(model: type[models.Model]) -> tuple[AnySealedField, ...]:
    """Return the sealed fields of a model."""
    return plan_of(model).fields


def stored(instance: models.Model, name: str) -> Sealed | None:
    """Return a field's stored value without opening it; None if empty or not saved."""
    value = instance.__dict__.get(name)
    return value if isinstance(value, Sealed) else None


@cache
def plan_of(model: type[models.Model]) -> Plan:
    """Return what a model class seals."""
    meta = model._meta  # noqa: SLF001  Django's model API
    fields = tuple(field for field in meta.concrete_fields if isinstance(field, SealedField))
    return Plan(
        key=meta.pk.attname,
        names=tuple(field.attname for field in fields),
        columns=tuple((field.attname, meta.concrete_fields.index(field)) for field in fields),
        width=len(meta.concrete_fields),
        owners={field.owner: _names_of(model, field.owner) for field in fields},
        sharing=_sharing(fields),
        fields=fields,
        indexed=tuple(field for field in fields if field.blind_index),
    )


def owner_names(model: type[models.Model]) -> set[str]:
    """Return all names of the columns that sealed values are bound to: key and owners."""
    plan = plan_of(model)
    names = {"pk", *_names_of(model, plan.key)}
    return names.union(*plan.owners.values())


def remember_row(instance: models.Model, plan: Plan, names: set[str] | None) -> None:
    """Note key and owners as they are stored now; ``names`` are the columns that were written."""
    before = instance.__dict__.get("_sealed_row")
    owners = {
        name: as_uuid(getattr(instance, name))
        if before is None or _is_written(plan, name, names)
        else before.owners.get(name)
        for name in plan.owners
    }
    key = cast("UUID", as_uuid(instance.pk))
    instance.__dict__["_sealed_row"] = Row(key.bytes, owners)


def moved_fields(
    instance: models.Model, plan: Plan, names: set[str] | None
) -> list[AnySealedField]:
    """Return the fields to seal for a new owner that is written now, all of them loaded."""
    row = instance.__dict__.get("_sealed_row")
    if row is None:
        return []
    moved = []
    for field in plan.fields:
        was, now = row.owners.get(field.owner), as_uuid(getattr(instance, field.owner))
        if was is None or was == now:
            continue
        if _is_written(plan, field.owner, names):
            getattr(instance, field.attname)
            moved.append(field)
        elif field.name in (names or ()):
            raise ValueError(f"{field.label} cannot be saved without its changed {field.owner}")
    return moved


def index_changes(instance: models.Model, field: AnySealedField, names: set[str] | None) -> bool:
    """Say whether saving the columns ``names`` (None: all) changes a field's digest."""
    data = instance.__dict__
    if field.attname not in data or (names is not None and field.name not in names):
        return False
    return data[field.attname] is None or field.needs_seal(instance)


def require_same_owners(entry: models.Model, row: models.Model, plan: Plan) -> None:
    """Refuse to write over a row of other owners.

    Raises:
        ValueError: an owner differs.
    """
    for name in plan.owners:
        if as_uuid(getattr(entry, name)) != as_uuid(getattr(row, name)):
            raise ValueError(f"the row that stands there has another {name}")


def owners_of(entries: Iterable[models.Model], fields: Sequence[AnySealedField]) -> list[Owner]:
    """Return the owners whose keys will seal these fields of some instances."""
    kinds = {(field.owner, field.owner_kind) for field in fields}
    found = {(kind, getattr(entry, name)) for entry in entries for name, kind in kinds}
    return [Owner(kind, UUID(str(owner_id))) for kind, owner_id in found if owner_id is not None]


def _sharing(fields: Iterable[AnySealedField]) -> tuple[tuple[str, ...], ...]:
    names: dict[tuple[str, str], list[str]] = {}
    for field in fields:
        names.setdefault((field.owner, field.realm), []).append(field.attname)
    return tuple(map(tuple, names.values()))


def _is_written(plan: Plan, owner: str, names: set[str] | None) -> bool:
    return names is None or not names.isdisjoint(plan.owners[owner])


def _names_of(model: type[models.Model], column: str) -> tuple[str, str]:
    """Return both names of a column: that of its field and that of its attribute."""
    try:
        return model._meta.get_field(column).name, column  # noqa: SLF001
    except FieldDoesNotExist:  # a system check reports it
        return column, column
