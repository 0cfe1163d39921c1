"""Registry of related items: what upper apps list on the page of a lower app's object."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from foundation.principals import Principal
from foundation.registry import Registry
from foundation.web.texts import Text


@dataclass(frozen=True, slots=True)
class RelatedItem:
    """One line of a list of related items."""

    text: Text
    href: str
    note: Text = ""


@dataclass(frozen=True, slots=True)
class RelatedSource:
    """A list that an app contributes to the pages about one kind of object.

    Attributes:
        key: unique name, for example ``tickets.of_order``.
        kind: kind of object whose page lists it, for example ``orders.order``.
        title: heading of the list.
        items: gives the lines a principal may see about the object of an id.
        permission: code without which the source is not asked; empty asks it always.
    """

    key: str
    kind: str
    title: Text
    items: Callable[[Principal, UUID], tuple[RelatedItem, ...]]
    permission: str = ""


@dataclass(frozen=True, slots=True)
class RelatedList:
    """A list with content."""

    title: Text
    items: tuple[RelatedItem, ...]


related: Registry[RelatedSource] = Registry("related items", key=lambda source: source.key)


def related_to(kind: str, object_id: UUID, *, principal: Principal) -> tuple[RelatedList, ...]:
    """Return all non-empty lists about an object that a principal may see."""
    lists = (
        RelatedList(title=source.title, items=source.items(principal, object_id))
        for source in related
        if source.kind == kind and (not source.permission or principal.may(source.permission))
    )
    return tuple(found for found in lists if found.items)
