"""Tables as pages show them: columns with sort links, cells formatted once in Python, chips."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils import formats, timezone

from foundation.web import paging
from foundation.web.texts import Text

_UNSORTED = ("sort", "cursor", "page")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list.

    Attributes:
        label: heading, repeated beside each cell on narrow screens.
        key: name in ``?sort=``; empty is not sortable.
        numeric: aligned at its end.
        heading: cells name their row (``<th scope="row">``).
    """

    label: Text
    key: str = ""
    numeric: bool = False
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """Content of a cell: text, optionally a link or a badge of a kind (good, warn, bad, info)."""

    text: object
    href: str = ""
    badge: str = ""


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A resolved column heading."""

    label: Text
    numeric: bool
    sort_url: str
    sort_order: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A resolved cell."""

    text: object
    label: Text
    href: str
    badge: str
    numeric: bool
    heading: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter and the address without it."""

    label: Text
    remove_url: str


def headings(request: HttpRequest, columns: Sequence[Column]) -> tuple[HeadCell, ...]:
    """Return the headings, each sortable one with the address that sorts by it."""
    present = request.GET.get("sort", "")
    return tuple(_heading(request, column, present=present) for column in columns)


def cells(
    columns: Sequence[Column], rows: Iterable[Sequence[object]]
) -> tuple[tuple[Cell, ...], ...]:
    """Return the cells of rows, each given as one value per column (plain or ``Value``)."""
    return tuple(
        tuple(_cell(column, value) for column, value in zip(columns, row, strict=True))
        for row in rows
    )


def sort_order(request: HttpRequest, columns: Sequence[Column], *, default: str) -> str:
    """Return the chosen sort key, ``-`` for descending, or the default where it is unknown."""
    chosen = request.GET.get("sort", "")
    known = {column.key for column in columns if column.key}
    return chosen if chosen.removeprefix("-") in known else default


def moment(at: datetime) -> str:
    """Return a time as lists and facts show it: short, in the time zone of the portal."""
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def chips(request: HttpRequest, labels: Mapping[str, Text]) -> tuple[Chip, ...]:
    """Return a chip for each filter of the address that has a value.

    Args:
        request: whose address holds the filters.
        labels: what the chip says, by name of the filter; give only active ones.
    """
    return tuple(
        Chip(
            label=label, remove_url=paging.address(request, **{name: "", "cursor": "", "page": ""})
        )
        for name, label in labels.items()
        if request.GET.get(name)
    )


def _heading(request: HttpRequest, column: Column, *, present: str) -> HeadCell:
    if not column.key:
        return HeadCell(column.label, column.numeric, "", "")
    order = {column.key: "ascending", f"-{column.key}": "descending"}.get(present, "")
    turned = f"-{column.key}" if order == "ascending" else column.key
    url = paging.address(request, **dict.fromkeys(_UNSORTED, "") | {"sort": turned})
    return HeadCell(column.label, column.numeric, url, order)


def _cell(column: Column, value: object) -> Cell:
    given = value if isinstance(value, Value) else Value(value)
    return Cell(
        text=given.text,
        label=column.label,
        href=given.href,
        badge=given.badge,
        numeric=column.numeric,
        heading=column.heading,
    )
