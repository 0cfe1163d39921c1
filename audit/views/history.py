"""Own security history: what happened to one's account, in plain words."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from audit import audit_events
from audit.models import OwnHistory
from audit.queries import own_history
from audit.services import Target, record
from audit.types import PERSON
from audit.views import wording
from foundation.access.guards import principal_of, signed_in
from foundation.errors import NotFound
from foundation.web import paging, tables
from foundation.web.paging import Page
from foundation.web.tables import Column

ORDER: Final = ("-occurred_at", "-event_id")
COLUMNS: Final = (
    Column(gettext_lazy("What happened"), heading=True),
    Column(gettext_lazy("Time (UTC)")),
    Column(gettext_lazy("Outcome")),
    Column(gettext_lazy("By")),
    Column(gettext_lazy("Network")),
    Column(gettext_lazy("Browser")),
)


@require_GET
@signed_in
def history(request: HttpRequest) -> HttpResponse:
    """Show the signed-in person's own entries, filtered by the database."""
    principal = principal_of(request)
    if principal.subject_id is None:
        raise NotFound
    page = _page(request, principal.subject_id)
    record(
        audit_events.HISTORY_READ,
        principal=principal,
        target=Target(PERSON, str(principal.subject_id), principal.organisation_id),
        details={"count": len(page.rows), "kind": "audit.own_history"},
    )
    context = {
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, (_row(entry, principal.subject_id) for entry in page.rows)),
        "page": page,
    }
    return render(request, "audit/history.html", context)


def _page(request: HttpRequest, subject_id: UUID) -> Page[OwnHistory]:
    with own_history(subject_id) as entries:
        shown = entries.exclude(type=audit_events.HISTORY_READ.code)
        return paging.by_cursor(request, shown, order=ORDER)


def _row(entry: OwnHistory, subject_id: UUID) -> tuple[object, ...]:
    mine = entry.actor_id == subject_id
    return (
        wording.sentence(entry.type),
        wording.moment(entry),
        wording.outcome(entry.outcome),
        _("you") if mine else wording.actor(entry),
        str(entry.net or ""),
        wording.part(entry, "request").get("browser", ""),
    )
