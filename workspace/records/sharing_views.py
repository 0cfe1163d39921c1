"""Pages of who sees a record; widening to the whole organisation has a page of its own."""

from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from foundation.access.guards import principal_of, requires, step_up
from foundation.errors import Denied
from foundation.principals import Principal
from foundation.web.forms import add_errors, render_form
from workspace.records import services
from workspace.records.errors import StaleVersion, ValuesInvalid
from workspace.records.forms import VisibilityForm
from workspace.records.models import Record
from workspace.records.permissions import SHARE
from workspace.records.queries import colleagues, may_share, people_of, visible_record
from workspace.records.types import Visibility


@require_http_methods(["GET", "POST"])
@never_cache
@requires(SHARE.code)
def visibility(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Choose who sees a record."""
    principal = principal_of(request)
    record = _sharable(record_id, principal)
    view = services.read_record(record_id, principal=principal)
    people = {user_id: user.shown_name for user_id, user in colleagues().items()}
    form = VisibilityForm(
        request.POST if request.method == "POST" else None,
        people={user_id: name for user_id, name in people.items() if user_id != record.owner_id},
        record=view,
        named=people_of(record),
    )
    if request.method == "POST" and form.is_valid():
        if form.wanted == Visibility.ORGANISATION and record.visibility != form.wanted:
            return redirect("records:widen", record_id=record_id)
        answer = _changed(request, record_id, form, principal)
        if answer is not None:
            return answer
    cancel_url = reverse("records:detail", args=[record_id])
    return render_form(
        request, "records/visibility.html", form, {"record": view, "cancel_url": cancel_url}
    )


@require_http_methods(["GET", "POST"])
@never_cache
@requires(SHARE.code)
@step_up(seconds=300)
def widen(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Confirm that everybody in the organisation may see a record."""
    principal = principal_of(request)
    record = _sharable(record_id, principal)
    if request.method == "POST":
        services.change_visibility(
            record_id,
            Visibility.ORGANISATION,
            principal=principal,
            expected_version=record.version,
        )
        messages.success(request, _("Everybody in your organisation sees this record now."))
        return redirect("records:detail", record_id=record_id)
    view = services.read_record(record_id, principal=principal)
    cancel_url = reverse("records:detail", args=[record_id])
    return render(request, "records/widen.html", {"record": view, "cancel_url": cancel_url})


def _sharable(record_id: UUID, principal: Principal) -> Record:
    record = visible_record(record_id, principal=principal)
    if not may_share(record, principal):
        raise Denied(_("Only the owner or a key user may change who sees this record."))
    return record


def _changed(
    request: HttpRequest, record_id: UUID, form: VisibilityForm, principal: Principal
) -> HttpResponse | None:
    try:
        services.change_visibility(
            record_id,
            form.wanted,
            principal=principal,
            expected_version=form.version,
            people=form.named,
            ends_at=_end_of(form),
        )
    except (ValuesInvalid, StaleVersion) as error:
        if isinstance(error, ValuesInvalid):
            add_errors(form, error)
        else:
            form.add_error(None, error.message)
        return None
    messages.success(request, _("It was changed who sees this record."))
    return redirect("records:detail", record_id=record_id)


def _end_of(form: VisibilityForm) -> datetime | None:
    """Return the moment after the last day, in the present time zone."""
    if form.last_day is None:
        return None
    return timezone.make_aware(datetime.combine(form.last_day + timedelta(days=1), time.min))
