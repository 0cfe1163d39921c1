"""Registry of navigation items, and the part of it that a principal sees."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from foundation.principals import Principal
from foundation.registry import Registry
from foundation.web.texts import Text


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A link of the main navigation.

    Attributes:
        key: unique name, for example ``records``.
        label: word shown, translated lazily.
        url_name: name of the page.
        icon: name in ``foundation/web/icons.py``.
        permission: code without which the link is not shown; empty shows it to all signed in.
        order: place, small numbers first; ten apart.
        group: heading under which the link stands; empty is the first, unnamed group.
        staff_only: shown to the operator's staff alone.
    """

    key: str
    label: Text
    url_name: str
    icon: str
    permission: str = ""
    order: int = 100
    group: Text = ""
    staff_only: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A resolved navigation item."""

    label: Text
    href: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one heading."""

    label: Text
    links: tuple[Link, ...]


navigation: Registry[NavigationItem] = Registry("navigation items", key=lambda item: item.key)


def groups_for(principal: Principal, *, path: str) -> tuple[Group, ...]:
    """Return what a principal may open, in order, with the present page marked."""
    if not principal.is_authenticated:
        return ()
    items = sorted(
        (item for item in navigation if _visible(item, principal)), key=lambda item: item.order
    )
    found: dict[str, list[Link]] = {}
    for item in items:
        link = _link(item, path=path)
        if link is not None:
            found.setdefault(str(item.group), []).append(link)
    return tuple(Group(label=label, links=_only_best(links)) for label, links in found.items())


def _visible(item: NavigationItem, principal: Principal) -> bool:
    if item.staff_only and not principal.is_staff:
        return False
    return not item.permission or principal.may(item.permission)


def _link(item: NavigationItem, *, path: str) -> Link | None:
    try:
        href = reverse(item.url_name)
    except NoReverseMatch:  # a page may be switched off, as the admin can be
        return None
    current = path == href or (href != "/" and path.startswith(href))
    return Link(label=item.label, href=href, icon=item.icon, current=current)


def _only_best(links: Iterable[Link]) -> tuple[Link, ...]:
    """Keep the mark only on the longest address that fits, so that one link is current."""
    links = tuple(links)
    best = max((len(link.href) for link in links if link.current), default=0)
    return tuple(
        Link(link.label, link.href, link.icon, link.current and len(link.href) == best)
        for link in links
    )
