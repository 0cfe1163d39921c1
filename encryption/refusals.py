"""What a query may not do with sealed fields: order, group, aggregate or compute by ciphertext."""

from collections.abc import Iterable
from datetime import datetime
from types import NoneType
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import BaseExpression, Combinable

from encryption.fields import AnySealedField, SealedField

_ACT = "filter, which takes isnull and the blind index only"
_PLAIN = frozenset({str, int, bool, bytes, UUID, NoneType, list, datetime})  # read nothing
_READS_COLUMNS = (BaseExpression, models.F)
_OF_OTHERS = (models.Subquery, models.OuterRef)  # their names are those of another model


def sealed_field_at(model: type[models.Model], path: str) -> AnySealedField | None:
    """Return the sealed field that a query path such as ``author__name`` leads to, or None."""
    found: type[models.Model] = model
    for part in path.lstrip("-+").split(LOOKUP_SEP):
        try:
            field = found._meta.get_field("id" if part == "pk" else part)  # noqa: SLF001
        except FieldDoesNotExist:
            return None
        if isinstance(field, SealedField):
            return field
        related = field.related_model
        if related is None or isinstance(related, str):
            return None
        found = related
    return None


def refuse_names(model: type[models.Model], names: Iterable[object], act: str) -> None:
    """Refuse an act on fields given by name or expression.

    Raises:
        FieldError: one of them is sealed.
    """
    for name in names:
        for path in _paths(name):
            field = sealed_field_at(model, path)
            if field is not None:
                raise FieldError(f"{field.label} is sealed and cannot be used in {act}")


def refuse_conditions(model: type[models.Model], conditions: Iterable[object]) -> None:
    """Refuse to compare anything with ciphertext: a condition's right side, or an expression.

    The left side of ``name=value`` is refused by the field itself.

    Raises:
        FieldError: a condition reads a sealed field.
    """
    for condition in conditions:
        if condition.__class__ in _PLAIN:
            continue
        if isinstance(condition, models.Q):
            children = condition.children
            refuse_conditions(model, (c[1] if isinstance(c, tuple) else c for c in children))
        elif isinstance(condition, models.QuerySet):
            refuse_names(condition.model, getattr(condition, "_fields", None) or (), _ACT)
        elif isinstance(condition, _READS_COLUMNS) and not isinstance(condition, _OF_OTHERS):
            refuse_names(model, (condition,), _ACT)


def is_expression(value: object) -> bool:
    """Say whether a value is computed by the database."""
    return isinstance(value, Combinable | BaseExpression | models.Q)


def _paths(name: object) -> Iterable[str]:
    if isinstance(name, str):
        yield name
    elif isinstance(name, models.F):
        yield str(name.deconstruct()[1][0])
    elif isinstance(name, BaseExpression):
        for source in name.get_source_expressions():
            yield from _paths(source)
