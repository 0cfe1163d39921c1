"""Alerts: the list, the case, and where alerts go."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit import audit_events
from audit.alerts import channels, services
from audit.alerts.facts import facts_of
from audit.anomaly.rules import explanation_of, title_of
from audit.forms import ChannelForm, CloseForm
from audit.models import Alert, AlertDelivery
from audit.models.alerts import AlertState, DeliveryState
from audit.permissions import CONFIGURE_ALERTS, HANDLE_ALERTS, READ_ALERTS, READ_ENTRIES
from audit.queries import alert_for, alerts_for
from audit.services import record
from audit.views import wording
from foundation.access.guards import principal_of, requires, staff_requires, step_up
from foundation.errors import Conflict, Invalid
from foundation.principals import Principal
from foundation.web import paging, tables
from foundation.web.forms import add_errors, render_form
from foundation.web.tables import Column, Value

COLUMNS: Final = (
    Column(gettext_lazy("Alert"), heading=True),
    Column(gettext_lazy("Severity")),
    Column(gettext_lazy("State")),
    Column(gettext_lazy("Times"), numeric=True),
    Column(gettext_lazy("Last (UTC)")),
)
DELIVERIES: Final = (
    Column(gettext_lazy("To"), heading=True),
    Column(gettext_lazy("State")),
    Column(gettext_lazy("Attempts"), numeric=True),
    Column(gettext_lazy("Sent (UTC)")),
)
_STATE_BADGES: Final[dict[str, str]] = {
    AlertState.NEW: "bad",
    AlertState.ASSIGNED: "warn",
    AlertState.CLOSED: "good",
    DeliveryState.DUE: "warn",
    DeliveryState.SENT: "good",
    DeliveryState.DEAD: "bad",
}


@require_GET
@requires(READ_ALERTS.code)
def alert_list(request: HttpRequest) -> HttpResponse:
    """Show alerts, newest first."""
    principal = principal_of(request)
    page = paging.by_cursor(request, alerts_for(principal), order=("-id",))
    _note_look(principal, page.rows)
    context = {
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, (_row(alert) for alert in page.rows)),
        "page": page,
        "may_configure": principal.is_staff and principal.may(CONFIGURE_ALERTS.code),
        "nobody_told": principal.is_staff and not channels.operator_addresses(),
    }
    return render(request, "audit/alerts.html", context)


@require_GET
@requires(READ_ALERTS.code)
def alert_page(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Show one case."""
    principal = principal_of(request)
    alert = alert_for(principal, alert_id)
    _note_look(principal, [alert])
    return render(request, "audit/alert.html", _case(alert, principal, CloseForm()))


@require_POST
@requires(HANDLE_ALERTS.code)
def take(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Take a case in hand."""
    principal = principal_of(request)
    alert = alert_for(principal, alert_id)
    try:
        services.take_in_hand(alert.pk, principal=principal)
    except Conflict as conflict:
        messages.info(request, conflict.message)
    return redirect("audit:alert", alert_id=alert.pk)


@require_POST
@requires(HANDLE_ALERTS.code)
def close(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Close a case with a verdict and a reason."""
    principal = principal_of(request)
    alert = alert_for(principal, alert_id)
    form = CloseForm(request.POST)
    if not form.is_valid():
        return render_form(request, "audit/alert.html", form, _case(alert, principal, form))
    try:
        services.close(alert.pk, principal=principal, **form.cleaned_data)
    except Conflict as conflict:
        messages.info(request, conflict.message)
    return redirect("audit:alert", alert_id=alert.pk)


@require_http_methods(["GET", "POST"])
@staff_requires(CONFIGURE_ALERTS.code)
@step_up(seconds=300)
def channel(request: HttpRequest) -> HttpResponse:
    """Say where the operator's alerts go."""
    principal = principal_of(request)
    present = {"addresses": "\n".join(channels.operator_addresses())}
    form = ChannelForm(request.POST or None, initial=present)
    if request.method == "POST" and form.is_valid():
        try:
            channels.set_addresses(
                form.lines(), principal=principal, language=request.LANGUAGE_CODE or "en"
            )
        except Invalid as error:
            add_errors(form, error)
        else:
            messages.success(request, _("Alerts go to these addresses from now on."))
            return redirect("audit:alerts")
    return render_form(request, "audit/channel.html", form)


def _note_look(principal: Principal, seen: Sequence[Alert]) -> None:
    ids = [str(alert.pk) for alert in seen]
    record(
        audit_events.ALERTS_READ,
        principal=principal,
        target=services.target_of_alert(seen[0]) if len(seen) == 1 else None,
        details={"count": len(ids), "kind": "audit.alert", "ids": ids},
    )


def _row(alert: Alert) -> tuple[object, ...]:
    return (
        Value(title_of(alert.rule), href=reverse("audit:alert", args=[alert.pk])),
        wording.severity(alert.severity),
        _state(alert.state, AlertState(alert.state).label),
        alert.count,
        f"{date_format(alert.last_at, 'DATE_FORMAT')} {alert.last_at:%H:%M:%S}",
    )


def _state(state: str, label: object) -> Value:
    return Value(label, badge=_STATE_BADGES.get(state, "neutral"))


def _case(alert: Alert, principal: Principal, form: CloseForm) -> dict[str, object]:
    open_case = alert.state != AlertState.CLOSED
    return {
        "alert": alert,
        "title": title_of(alert.rule),
        "explanation": explanation_of(alert.rule),
        "severity": wording.severity(alert.severity),
        "facts": _facts(alert),
        "columns": [tables.HeadCell(column.label, column.numeric, "", "") for column in DELIVERIES],
        "deliveries": tables.cells(DELIVERIES, _deliveries(alert)),
        "form": form,
        "may_take": open_case and principal.may(HANDLE_ALERTS.code),
        "may_read_journal": principal.may(READ_ENTRIES.code),
    }


def _facts(alert: Alert) -> list[tuple[str, object]]:
    return [
        (_("State"), AlertState(alert.state).label),
        *facts_of(alert),
        (_("Account"), wording.short(alert.subject_id) if alert.subject_id else ""),
        (_("Reason for closing"), alert.closing_reason),
    ]


def _deliveries(alert: Alert) -> list[tuple[object, ...]]:
    return [_delivery(row) for row in alert.deliveries.select_related("channel").order_by("pk")]


def _delivery(row: AlertDelivery) -> tuple[object, ...]:
    to = _("the person concerned") if row.channel is None else row.channel.name
    sent = "" if row.sent_at is None else row.sent_at.isoformat(sep=" ", timespec="seconds")
    return (to, _state(row.state, DeliveryState(row.state).label), row.attempts, sent)
