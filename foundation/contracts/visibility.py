"""Visibility: one function per kind builds the query of what one may see (workspace.md 2)."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Model, QuerySet

from foundation.principals import Principal
from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class Visibility:
    """What may be seen of one kind.

    Attributes:
        kind: ``record``, ``document`` and so on.
        visible_to: builds the query; nothing filters afterwards.
    """

    kind: str
    visible_to: Callable[[Principal], QuerySet[Model]]


visibilities: Registry[Visibility] = Registry("visibility", key=lambda item: item.kind)
