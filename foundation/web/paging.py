"""Pages of lists: by cursor for big ones, by number for small ones; all state in the URL."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")

PAGE_SIZE = 25
_CURSOR_LENGTH = 400


@dataclass(frozen=True, slots=True)
class PageNumber:
    """One number of a numbered list."""

    number: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list, as ``{% component "table" page=page %}`` takes it."""

    rows: tuple[Item, ...]
    previous_url: str = ""
    next_url: str = ""
    numbers: tuple[PageNumber, ...] = ()
    total: int | None = None


@dataclass(frozen=True, slots=True)
class _Cursor:
    """A place in a list: the values of the sort columns of its edge row, and the direction."""

    values: tuple[object, ...]
    backwards: bool


def by_cursor(
    request: HttpRequest, rows: "QuerySet[Row]", *, order: Sequence[str], size: int = PAGE_SIZE
) -> Page[Row]:
    """Return one page of a big list by keyset, which costs the same on every page.

    Args:
        request: whose address holds the cursor.
        rows: what may be seen, already filtered.
        order: names of not-null columns of this model, ``-`` for descending; the last is unique.
        size: rows of a page.
    """
    cursor = _read(request.GET.get("cursor", ""), rows.model, order)
    backwards = cursor is not None and cursor.backwards
    effective = _reversed(order) if backwards else list(order)
    chosen = rows.order_by(*effective)
    if cursor is not None:
        chosen = chosen.filter(_beyond(effective, cursor.values))
    found = list(chosen[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_previous = more if backwards else cursor is not None
    has_next = cursor is not None if backwards else more
    return Page(
        rows=tuple(found),
        previous_url=_edge(request, found[0], order, backwards=True)
        if found and has_previous
        else "",
        next_url=_edge(request, found[-1], order, backwards=False) if found and has_next else "",
    )


def by_number(
    request: HttpRequest, rows: "Sequence[Item] | QuerySet[Row]", *, size: int = PAGE_SIZE
) -> "Page[Item]":
    """Return one page of a small list, with the numbers of all pages."""
    paginator = Paginator(cast("Sequence[Item]", rows), size)
    page = paginator.get_page(request.GET.get("page"))
    return Page(
        rows=tuple(page.object_list),
        previous_url=address(request, page=str(page.number - 1)) if page.has_previous() else "",
        next_url=address(request, page=str(page.number + 1)) if page.has_next() else "",
        numbers=_numbers(request, page.number, paginator.num_pages),
        total=paginator.count,
    )


def address(request: HttpRequest, /, **changes: str) -> str:
    """Return the address of the present list with parameters set, or removed by an empty text."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _numbers(request: HttpRequest, current: int, last: int) -> tuple[PageNumber, ...]:
    if last < 2:  # noqa: PLR2004  # one page needs no numbers
        return ()
    near = {1, last, *range(current - 2, current + 3)}
    return tuple(
        PageNumber(number, address(request, page=str(number)), number == current)
        for number in sorted(near)
        if 1 <= number <= last
    )


def _edge(request: HttpRequest, row: Model, order: Sequence[str], *, backwards: bool) -> str:
    values = [_text(row, name.lstrip("-")) for name in order]
    packed = json.dumps({"v": values, "b": backwards}, separators=(",", ":")).encode()
    return address(request, cursor=base64.urlsafe_b64encode(packed).decode().rstrip("="))


def _text(row: Model, name: str) -> str:
    return str(_column(type(row), name).value_to_string(row))


def _column(model: type[Model], name: str) -> "Field[object, object]":
    field = model._meta.get_field(name)  # noqa: SLF001  # Django's documented model API
    if not isinstance(field, Field):
        raise FieldDoesNotExist(f"{name} is no column: a list pages by columns of its own model")
    return field


def _read(text: str, model: type[Model], order: Sequence[str]) -> _Cursor | None:
    """Read a cursor; a spoilt one is the first page, not an error."""
    read = _unpacked(text)
    values = read.get("v")
    if (
        not isinstance(values, list)
        or len(values) != len(order)
        or "\x00" in "".join(map(str, values))
    ):
        return None
    try:
        parsed = tuple(
            _column(model, name.lstrip("-")).to_python(value)
            for name, value in zip(order, values, strict=True)
        )
    except ValidationError:
        return None
    return _Cursor(values=parsed, backwards=bool(read.get("b")))


def _unpacked(text: str) -> Mapping[str, object]:
    if not text or len(text) > _CURSOR_LENGTH:
        return {}
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        read = json.loads(raw)
    except (binascii.Error, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _beyond(order: Sequence[str], values: Sequence[object]) -> Q:
    """Return the condition "after this row": equal in the first columns, beyond in the next."""
    condition, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        plain = name.lstrip("-")
        step = "lt" if name.startswith("-") else "gt"
        condition |= equal & Q((f"{plain}__{step}", value))
        equal &= Q((plain, value))
    return condition


def _reversed(order: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]
