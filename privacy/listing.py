"""Tables of the privacy pages: what is held and why, requests, and what an erasure does."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from foundation.contracts.personal_data import ErasureCount, PersonalDataSource, personal_data
from foundation.web.tables import Cell, Column, HeadCell, Value, cells
from privacy import queries
from privacy.models import ErasureItem, Purpose, SubjectRequest
from privacy.models.subject_request import RequestKind, RequestState

Rows = tuple[tuple[Cell, ...], ...]

REQUESTS: Final = (
    Column(_("Request"), heading=True),
    Column(_("State")),
    Column(_("Received (UTC)")),
    Column(_("Answer due by")),
)
SOURCES: Final = (
    Column(_("Data"), heading=True),
    Column(_("Purpose")),
    Column(_("Lawful basis")),
    Column(_("Kept")),
    Column(_("Who gets it")),
)
COUNTS: Final = (
    Column(_("Data"), heading=True),
    Column(_("Deleted"), numeric=True),
    Column(_("Made unreadable"), numeric=True),
    Column(_("Stays"), numeric=True),
    Column(_("Why it stays")),
)
_KINDS: Final[dict[str, StrOrPromise]] = {
    RequestKind.ACCESS: _("Copy of my data"),
    RequestKind.ERASURE: _("Erasure of my data"),
}
_STATES: Final[dict[str, tuple[StrOrPromise, str]]] = {
    RequestState.RECEIVED: (_("In work"), "info"),
    RequestState.OPEN: (_("In work"), "info"),
    RequestState.READY: (_("Ready"), "good"),
    RequestState.CLOSED: (_("Closed"), "neutral"),
    RequestState.WITHDRAWN: (_("Cancelled"), "neutral"),
    RequestState.LAPSED: (_("Ended without being fetched"), "neutral"),
}


def headings(columns: Sequence[Column]) -> tuple[HeadCell, ...]:
    """Return headings of a table that is not sorted."""
    return tuple(HeadCell(column.label, column.numeric, "", "") for column in columns)


def requests(found: Iterable[SubjectRequest]) -> Rows:
    """Return a row per request, with a link to its page."""
    return cells(REQUESTS, (_request(item) for item in found))


def sources() -> Rows:
    """Return a row per source that holds data about people."""
    held = [source for source in personal_data.all() if source.handlers is not None]
    purposes = queries.purposes()
    return cells(SOURCES, ((*_ground(source, purposes), _recipients(source)) for source in held))


def counts(found: Iterable[ErasureCount]) -> Rows:
    """Return a row per source of what an erasure would do."""
    return cells(
        COUNTS,
        (
            (
                personal_data.get(count.label).shown_title,
                count.deleted,
                count.shredded,
                count.kept,
                count.reason,
            )
            for count in found
        ),
    )


def items(found: Iterable[ErasureItem]) -> Rows:
    """Return a row per source in which an erasure found something."""
    return cells(
        COUNTS,
        (
            (item.title, item.deleted, item.shredded, item.kept, item.reason)
            for item in found
            if item.deleted or item.shredded or item.kept
        ),
    )


def kind(request: SubjectRequest) -> StrOrPromise:
    """Return the kind of a request in words."""
    return _KINDS[request.kind]


def state(request: SubjectRequest) -> Value:
    """Return the state of a request as a badge."""
    words, badge = _STATES[request.state]
    return Value(words, badge=badge)


def _request(item: SubjectRequest) -> tuple[object, ...]:
    return (
        Value(kind(item), href=reverse("privacy:request", args=[item.pk])),
        state(item),
        _moment(item.received_at),
        _day(item.due_on),
    )


def _ground(source: PersonalDataSource, purposes: Mapping[str, Purpose]) -> tuple[object, ...]:
    purpose = purposes[source.purpose]
    return (
        source.shown_title,
        purpose.shown_description,
        purpose.shown_basis,
        source.retention,
    )


def _recipients(source: PersonalDataSource) -> str:
    nobody: StrOrPromise = _("nobody outside the portal")
    return ", ".join(str(who) for who in source.recipients) or str(nobody)


def _moment(at: datetime) -> str:
    return date_format(at, "DATETIME_FORMAT")


def _day(on: date) -> str:
    return date_format(on, "DATE_FORMAT")
