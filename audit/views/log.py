"""The log page: entries of the journal for whoever may read it; every look is an entry."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from audit import audit_events, reveal
from audit.forms import LogForm, ReasonForm
from audit.models import AuditEvent
from audit.permissions import READ_ENTRIES, REVEAL_ENTRIES
from audit.queries import entries_for, entry_for
from audit.services import Target, record
from audit.views import wording
from foundation.access.guards import principal_of, requires, step_up
from foundation.principals import Principal
from foundation.web import paging, tables
from foundation.web.forms import render_form
from foundation.web.tables import Column, Value

ORDER: Final = ("-occurred_at", "-event_id")
COLUMNS: Final = (
    Column(gettext_lazy("Event"), heading=True),
    Column(gettext_lazy("Time (UTC)")),
    Column(gettext_lazy("Outcome")),
    Column(gettext_lazy("Actor")),
    Column(gettext_lazy("Target")),
    Column(gettext_lazy("Network")),
)

Facts = list[tuple[str, object]]


@require_GET
@requires(READ_ENTRIES.code)
def log(request: HttpRequest) -> HttpResponse:
    """Show entries, newest first, narrowed by the filters of the address."""
    principal = principal_of(request)
    form = LogForm(request.GET)
    form.is_valid()
    page = paging.by_cursor(request, entries_for(principal, form.narrowed()), order=ORDER)
    _note_look(principal, page.rows)
    context = {
        "filter_form": form,
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, (_row(entry) for entry in page.rows)),
        "page": page,
        "chips": tables.chips(request, _chip_labels(request)),
    }
    return render_form(request, "audit/log.html", form, context)


@require_GET
@requires(READ_ENTRIES.code)
def entry_page(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Show one entry with all that is in clear, and the ways to what belongs to it."""
    principal = principal_of(request)
    entry = entry_for(principal, event_id)
    _note_look(principal, [entry])
    return render(request, "audit/entry.html", _entry_context(entry, principal))


@require_http_methods(["GET", "POST"])
@requires(REVEAL_ENTRIES.code)
@step_up(seconds=300)
def reveal_page(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Open the personal parts of one entry, with a reason."""
    principal = principal_of(request)
    entry = entry_for(principal, event_id)
    form = ReasonForm(request.POST or None)
    context: dict[str, object] = {"entry": entry, "title": wording.sentence(entry.type)}
    if request.method == "POST" and form.is_valid():
        opened = reveal.open_parts(entry, principal=principal, reason=form.cleaned_data["reason"])
        context |= {"opened": opened}
    return render_form(request, "audit/reveal.html", form, context)


def _note_look(principal: Principal, seen: Iterable[AuditEvent]) -> None:
    ids = [str(entry.event_id) for entry in seen]
    record(
        audit_events.ENTRIES_READ,
        principal=principal,
        target=Target("audit.entry", ids[0]) if len(ids) == 1 else None,
        details={"count": len(ids), "kind": "audit.entry", "ids": ids},
    )


def _row(entry: AuditEvent) -> tuple[object, ...]:
    return (
        Value(wording.sentence(entry.type), href=reverse("audit:entry", args=[entry.event_id])),
        wording.moment(entry),
        wording.outcome(entry.outcome),
        _narrow("actor", entry.actor_id, wording.actor(entry)),
        _narrow("target", entry.target_id, wording.target(entry)),
        str(entry.net or ""),
    )


def _narrow(name: str, value: object, text: str) -> Value:
    return Value(text, href=f"{reverse('audit:log')}?{name}={value}" if value else "")


def _chip_labels(request: HttpRequest) -> dict[str, str]:
    labels = {
        "type": _("Kind of event: %(value)s"),
        "outcome": _("Outcome: %(value)s"),
        "since": _("From: %(value)s"),
        "until": _("Before: %(value)s"),
        "net": _("Network: %(value)s"),
        "actor": _("Actor: %(value)s"),
        "target": _("Target: %(value)s"),
        "request": _("Request: %(value)s"),
        "credential": _("Credential: %(value)s"),
    }
    given = {name: request.GET.get(name, "") for name in labels}
    words = given | {
        "type": wording.sentence(given["type"]),
        "outcome": str(wording.outcome(given["outcome"]).text),
    }
    return {name: text % {"value": words[name]} for name, text in labels.items()}


def _entry_context(entry: AuditEvent, principal: Principal) -> dict[str, object]:
    sealed = entry.actor_sealed is not None or entry.subject_sealed is not None
    return {
        "entry": entry,
        "title": wording.sentence(entry.type),
        "facts": _facts(entry),
        "details": sorted(wording.part(entry, "details").items()),
        "changes": _changes(entry),
        "related": _related(entry),
        "has_sealed_parts": sealed,
        "may_reveal": sealed and principal.may(REVEAL_ENTRIES.code),
    }


def _facts(entry: AuditEvent) -> Facts:
    request = wording.part(entry, "request")
    return [
        (_("Kind of event"), wording.with_code(wording.sentence(entry.type), entry.type)),
        (_("Time (UTC)"), wording.moment(entry)),
        (_("Outcome"), wording.outcome(entry.outcome).text),
        (_("Severity"), wording.severity(entry.severity).text),
        (_("Actor"), wording.with_code(wording.actor(entry), wording.actor_code(entry))),
        (_("Target"), _target(entry)),
        (_("Purpose"), entry.content.get("purpose")),
        (_("Reason"), entry.content.get("reason")),
        (_("Network"), str(entry.net or "")),
        (_("Browser"), request.get("browser")),
        (_("Database role"), entry.db_user),
        (_("Place in the journal"), f"{entry.epoch} · {entry.seq}"),
    ]


def _target(entry: AuditEvent) -> str:
    words = wording.target(entry)
    return wording.with_code(words, wording.target_code(entry)) if words else ""


def _changes(entry: AuditEvent) -> list[tuple[str, object, object]]:
    rows: list[tuple[str, object, object]] = []
    for name, change in sorted(wording.part(entry, "changes").items()):
        if isinstance(change, dict) and ("from" in change or "to" in change):
            rows.append((name, change.get("from"), change.get("to")))
        else:
            rows.append((name, _("sealed"), _("sealed")))
    return rows


def _related(entry: AuditEvent) -> list[tuple[str, str]]:
    ways = [
        (_("Same request"), "request", entry.request_id),
        (_("Same actor"), "actor", entry.actor_id),
        (_("Same target"), "target", entry.target_id),
        (_("Same credential"), "credential", entry.credential_id),
    ]
    return [(text, str(_narrow(name, value, "").href)) for text, name, value in ways if value]
