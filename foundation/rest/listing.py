"""Lists: declared filters and sort orders, and pages by a signed keyset cursor.

A cursor holds the place after the last row of a page. It is signed, and bound to the filters, the
order and the client it was made for: with a changed byte, for another list or in other hands it
is refused. There are no totals: counting costs more than the page (runtime.md 7).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar, cast
from uuid import UUID

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from foundation.identifiers import parse_uuid
from foundation.principals import Principal
from foundation.rest.problems import parameter_error
from foundation.rest.renderers import dump

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
MAX_TEXT_CHARACTERS = 200
CURSOR_AGE_SECONDS = 7 * 24 * 3600
PAGE_PARAMETERS = ("limit", "cursor", "sort")
_SALT = "foundation.rest.cursor"

Row = TypeVar("Row")
AnyModel = TypeVar("AnyModel", bound=Model)


def text(value: str) -> str:
    """Read a filter value as a short text without control characters."""
    if len(value) > MAX_TEXT_CHARACTERS or not value.isprintable():
        raise ValueError(value)
    return value


def moment(value: str) -> datetime:
    """Read a filter value as a time with an offset (RFC 3339)."""
    found = parse_datetime(value)
    if found is None or found.tzinfo is None:
        raise ValueError(value)
    return found


def identifier(value: str) -> UUID:
    """Read a filter value as a UUID."""
    found = parse_uuid(value)
    if found is None:
        raise ValueError(value)
    return found


@dataclass(frozen=True, slots=True)
class Filter:
    """One declared filter.

    Attributes:
        lookup: Django lookup it becomes, ``updated_at__gte``.
        read: makes the value of the text, or raises ValueError.
        describe: what it takes, for the OpenAPI document.
        choices: the only values, if they are fixed.
    """

    lookup: str
    read: Callable[[str], object] = text
    describe: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list takes.

    Attributes:
        filters: by parameter name, ``updated_at.gte``.
        sorts: by public name, the column; columns must not be null.
        default_sort: public name, with ``-`` for descending.
    """

    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: Mapping[str, str] = field(default_factory=lambda: {"created_at": "created_at"})
    default_sort: str = "created_at"

    @property
    def parameters(self) -> frozenset[str]:
        """All parameters the list takes."""
        return frozenset({*self.filters, *PAGE_PARAMETERS})


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page.

    Attributes:
        rows: at most ``limit``.
        next_cursor: for the page after it; None on the last one.
    """

    rows: tuple[Row, ...]
    next_cursor: str | None

    def body(self, shape: Callable[[Row], object]) -> dict[str, object]:
        """Give the answer: ``data`` and ``next``."""
        return {"data": [shape(row) for row in self.rows], "next": self.next_cursor}


def refuse_unknown(parameters: QueryDict, known: frozenset[str]) -> None:
    """Refuse a parameter that is not declared, or given twice, by its name.

    Raises:
        Invalid: 400 with the name.
    """
    for name in parameters:
        if name not in known:
            raise parameter_error(
                name, code="unknown_parameter", detail=_("This parameter is not known here.")
            )
        if len(parameters.getlist(name)) > 1:
            raise parameter_error(
                name, code="repeated_parameter", detail=_("This parameter may be given once.")
            )


def page_of(
    queryset: "QuerySet[AnyModel, Row]",
    *,
    listing: Listing,
    parameters: QueryDict,
    principal: Principal,
) -> Page[Row]:
    """Read one page of a queryset of models or of ``values()``.

    The queryset is already limited to what the principal may see. With ``values()`` it includes
    ``id`` and the sort columns.

    Raises:
        Invalid: a filter, the order, the limit or the cursor is wrong; it is named.
    """
    limit = _limit(parameters)
    descending, column = _order(parameters, listing)
    binding = _binding(parameters, listing, principal)
    chosen = queryset.filter(_condition(parameters, listing))
    cursor = parameters.get("cursor")
    if cursor is not None:
        chosen = chosen.filter(_after(cursor, column, binding, descending=descending))
    mark = "-" if descending else ""
    rows = list(chosen.order_by(f"{mark}{column}", f"{mark}id")[: limit + 1])
    if len(rows) <= limit:
        return Page(rows=tuple(rows), next_cursor=None)
    return Page(rows=tuple(rows[:limit]), next_cursor=_cursor(rows[limit - 1], column, binding))


def _limit(parameters: QueryDict) -> int:
    given = parameters.get("limit", str(DEFAULT_LIMIT))
    is_number = given.isascii() and given.isdigit() and len(given) <= len(str(MAX_LIMIT))
    if not is_number or not 1 <= int(given) <= MAX_LIMIT:
        raise parameter_error(
            "limit", code="invalid_value", detail=_("The limit is a number from 1 to 100.")
        )
    return int(given)


def _order(parameters: QueryDict, listing: Listing) -> tuple[bool, str]:
    given = parameters.get("sort", listing.default_sort)
    column = listing.sorts.get(given.removeprefix("-"))
    if column is None:
        names = ", ".join(listing.sorts)
        detail = _("This list is sorted by: %(names)s.") % {"names": names}
        raise parameter_error("sort", code="invalid_value", detail=detail)
    return given.startswith("-"), column


def _condition(parameters: QueryDict, listing: Listing) -> Q:
    condition = Q()
    for name, declared in listing.filters.items():
        if name in parameters:
            value = _value(name, declared, str(parameters[name]))
            condition &= Q(**{declared.lookup: value})
    return condition


def _value(name: str, declared: Filter, given: str) -> object:
    wrong = parameter_error(
        name,
        code="invalid_value",
        detail=str(declared.describe or _("This value is not valid here.")),
    )
    if declared.choices and given not in declared.choices:
        raise wrong
    try:
        return declared.read(given)
    except ValueError as error:
        raise wrong from error


def _binding(parameters: QueryDict, listing: Listing, principal: Principal) -> str:
    bound = {name: parameters.get(name) for name in sorted(listing.parameters - {"cursor"})}
    bound.pop("limit")
    whom = [str(principal.kind), principal.id, principal.organisation_id]
    return hashlib.sha256(dump([sorted(listing.sorts), bound, whom])).hexdigest()[:32]


def _cursor(row: object, column: str, binding: str) -> str:
    place = [_plain(_column(row, column)), str(_column(row, "id")), binding]
    return signing.dumps(place, salt=_SALT, compress=False)


def _after(cursor: str, column: str, binding: str, *, descending: bool) -> Q:
    try:
        place: Sequence[object] = signing.loads(cursor, salt=_SALT, max_age=CURSOR_AGE_SECONDS)
        value, row_id, bound_to = place
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise _cursor_error() from error
    if bound_to != binding:
        raise _cursor_error()
    comparison = "lt" if descending else "gt"
    beyond = Q(**{f"{column}__{comparison}": value})
    return beyond | Q(**{column: value, f"id__{comparison}": row_id})


def _cursor_error() -> Exception:
    return parameter_error(
        "cursor",
        code="invalid_cursor",
        detail=_("This cursor is not valid here. Start again without one."),
    )


def _column(row: object, name: str) -> object:
    if isinstance(row, Mapping):
        return cast("Mapping[str, object]", row)[name]
    return getattr(row, name)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
