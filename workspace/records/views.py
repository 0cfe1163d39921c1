"""Pages of records: list, look-up, create, detail, edit, reveal, history."""

from dataclasses import replace
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from foundation.access.guards import principal_of, requires, step_up
from foundation.errors import Invalid
from foundation.principals import Principal
from foundation.web import paging, tables
from foundation.web.forms import add_errors, render_form
from foundation.web.related import related_to
from workspace.records import services
from workspace.records import values as forms_of_values
from workspace.records.errors import KindUnknown, RecordNotFound, StaleVersion, ValuesInvalid
from workspace.records.forms import FilterForm, LookUpForm, ReasonForm, RecordForm
from workspace.records.permissions import READ, REVEAL, SHARE, WRITE
from workspace.records.queries import (
    kind_by_code,
    kinds,
    may_share,
    may_write,
    owner_name,
    records_with_iban,
    visible_record,
)
from workspace.records.types import (
    FieldView,
    KindSpec,
    RecordFilter,
    RecordRow,
    RecordView,
    ValueType,
    Visibility,
)

COLUMNS = (
    tables.Column(gettext_lazy("Record"), heading=True),
    tables.Column(gettext_lazy("Kind")),
    tables.Column(gettext_lazy("Who sees it")),
    tables.Column(gettext_lazy("Changed"), key="updated_at"),
)
HISTORY_COLUMNS = (
    tables.Column(gettext_lazy("Version"), numeric=True, heading=True),
    tables.Column(gettext_lazy("When")),
    tables.Column(gettext_lazy("Who")),
    tables.Column(gettext_lazy("What changed")),
    tables.Column(gettext_lazy("Who sees it")),
)
MAX_FOUND = 25


@require_GET
@requires(READ.code)
def record_list(request: HttpRequest) -> HttpResponse:
    """List what the person may see, newest change first."""
    principal = principal_of(request)
    form = FilterForm(request.GET, kinds=kinds())
    narrowed = RecordFilter(
        kind=request.GET.get("kind", ""),
        visibility=request.GET.get("visibility", ""),
        owner=request.GET.get("owner", ""),
    )
    order = tables.sort_order(request, COLUMNS, default="-updated_at")
    page = paging.by_cursor(
        request,
        services.list_records(principal=principal, narrowed=narrowed),
        order=(order, "-id" if order.startswith("-") else "id"),
    )
    rows = services.rows_of(page.rows, principal=principal)
    context = {
        "filter_form": form,
        "look_up_form": LookUpForm(),
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, map(_cells, rows)),
        "page": page,
        "chips": tables.chips(request, _chip_labels(narrowed)),
        "may_write": may_write(principal),
    }
    return render(request, "records/list.html", context)


@require_POST
@requires(READ.code)
def look_up(request: HttpRequest) -> HttpResponse:
    """Find records by their IBAN."""
    principal = principal_of(request)
    form = LookUpForm(request.POST)
    rows: tuple[RecordRow, ...] = ()
    if form.is_valid():
        narrowed = RecordFilter(iban=form.cleaned_data["iban"])
        found = services.list_records(principal=principal, narrowed=narrowed)
        newest = tuple(found.order_by("-updated_at", "-id")[:MAX_FOUND])
        rows = services.rows_of(newest, principal=principal, is_lookup=True)
        if forms_of_values.iban(narrowed.iban) is None:
            form.add_error("iban", _("This is not a whole and correct IBAN."))
    context = {
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, map(_cells, rows)),
    }
    return render_form(request, "records/look_up.html", form, context)


@require_GET
@requires(WRITE.code)
def choose_kind(request: HttpRequest) -> HttpResponse:
    """Ask which kind of record is to be made."""
    choices = [(_(kind.label), reverse("records:create", args=[kind.code])) for kind in kinds()]
    return render(request, "records/choose_kind.html", {"choices": choices})


@require_http_methods(["GET", "POST"])
@requires(WRITE.code)
def create(request: HttpRequest, kind_code: str) -> HttpResponse:
    """Make a record; who makes it owns it."""
    principal = principal_of(request)
    kind = _kind(kind_code)
    form = RecordForm(request.POST if request.method == "POST" else None, kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            saved = services.create_record(kind.code, form.values, principal=principal)
        except ValuesInvalid as error:
            add_errors(form, _beside_fields(error))
        else:
            _warn_of_doubles(request, principal, kind, form.values, saved.id)
            messages.success(request, _("The record was created."))
            return redirect("records:detail", record_id=saved.id)
    context = {"kind_label": _(kind.label), "cancel_url": reverse("records:list")}
    return render_form(request, "records/create.html", form, context)


@require_GET
@never_cache
@requires(READ.code)
def detail(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Show a record; values of protected classes stay hidden."""
    principal = principal_of(request)
    view = services.read_record(record_id, principal=principal)
    record = visible_record(record_id, principal=principal)
    context = {
        "record": view,
        "kind_label": _(view.kind.label),
        "facts": [(_(field.spec.label), _shown(field)) for field in view.fields],
        "hidden": _hidden(view) if principal.may(REVEAL.code) else [],
        "about": _about(view),
        "may_write": may_write(principal),
        "may_share": principal.may(SHARE.code) and may_share(record, principal),
        "related": related_to("records.record", view.id, principal=principal),
    }
    return render(request, "records/detail.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@requires(WRITE.code)
def edit(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Change values; a stale change is shown with both values and nothing is lost."""
    principal = principal_of(request)
    if request.method == "POST":
        return _saved(request, record_id, principal)
    view = services.read_record(record_id, principal=principal)
    form = RecordForm(kind=view.kind, version=view.version, initial=view.values)
    return render_form(request, "records/edit.html", form, _edit_context(view))


@require_http_methods(["GET", "POST"])
@never_cache
@requires(REVEAL.code)
@step_up(seconds=300)
def reveal(request: HttpRequest, record_id: UUID, field_code: str) -> HttpResponse:
    """Ask for the reason and show one protected value, in this answer alone."""
    principal = principal_of(request)
    view = services.read_record(record_id, principal=principal)
    field = next((item for item in view.fields if item.spec.code == field_code), None)
    if field is None or not field.is_hidden:
        raise RecordNotFound
    form = ReasonForm(request.POST if request.method == "POST" else None)
    context: dict[str, object] = {"record": view, "label": _(field.spec.label), "value": None}
    if request.method == "POST" and form.is_valid():
        context["value"] = services.reveal_value(
            record_id, field_code, principal=principal, reason=form.cleaned_data["reason"]
        )
    return render_form(request, "records/reveal.html", form, context)


@require_GET
@requires(READ.code)
def history(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Show who changed what and when; old values are not shown."""
    principal = principal_of(request)
    view = services.read_record(record_id, principal=principal)
    versions = services.version_rows(record_id, principal=principal)
    rows = [
        (
            version.number,
            tables.moment(version.changed_at),
            version.actor,
            ", ".join(_labels(view.kind, version.fields)) or _("Who sees it"),
            version.visibility.label,
        )
        for version in versions
    ]
    context = {
        "record": view,
        "columns": tables.headings(request, HISTORY_COLUMNS),
        "rows": tables.cells(HISTORY_COLUMNS, rows),
    }
    return render(request, "records/history.html", context)


def _kind(code: str) -> KindSpec:
    try:
        return kind_by_code(code)
    except KindUnknown as error:
        raise RecordNotFound from error


def _saved(request: HttpRequest, record_id: UUID, principal: Principal) -> HttpResponse:
    view = services.read_record(record_id, principal=principal)
    form = RecordForm(request.POST, kind=view.kind, version=view.version)
    if form.is_valid():
        try:
            services.change_record(
                record_id, form.values, principal=principal, expected_version=form.version
            )
        except ValuesInvalid as error:
            add_errors(form, _beside_fields(error))
        except StaleVersion as stale:
            return _both_values(request, view, form, stale)
        else:
            _warn_of_doubles(request, principal, view.kind, form.values, record_id)
            messages.success(request, _("The record was saved."))
            return redirect("records:detail", record_id=record_id)
    return render_form(request, "records/edit.html", form, _edit_context(view))


def _both_values(
    request: HttpRequest, view: RecordView, form: RecordForm, stale: StaleVersion
) -> HttpResponse:
    """Answer a stale change: both values, and the form ready to be sent again on purpose."""
    given = {field.code: form.cleaned_data.get(field.code, "") for field in view.kind.fields}
    again = RecordForm(kind=view.kind, version=stale.present_version, initial=given)
    differences = [
        (_label(view.kind, item.code), item.yours, item.present) for item in stale.differences
    ]
    context = {
        "form": again,
        "differences": differences,
        "reason": stale.message,
        **_edit_context(view),
    }
    return render(request, "records/edit.html", context, status=HTTPStatus.CONFLICT)


def _edit_context(view: RecordView) -> dict[str, object]:
    return {"record": view, "cancel_url": reverse("records:detail", args=[view.id])}


def _beside_fields(error: ValuesInvalid) -> Invalid:
    """Point to the fields of the form, which have no common parent as the API's values have."""
    errors = tuple(
        replace(item, pointer=item.pointer.removeprefix("/values")) for item in error.errors
    )
    return Invalid(error.message, errors=errors)


def _warn_of_doubles(
    request: HttpRequest,
    principal: Principal,
    kind: KindSpec,
    values: dict[str, str],
    record_id: UUID,
) -> None:
    for field in kind.fields:
        text = values.get(field.code, "")
        iban = forms_of_values.iban(text) if field.value_type == ValueType.IBAN else None
        if iban is None:
            continue
        others = records_with_iban(iban, principal=principal).exclude(pk=record_id)
        if others.exists():
            messages.warning(request, _("Another record you can see holds the same IBAN."))


def _cells(row: RecordRow) -> tuple[object, ...]:
    kind = kind_by_code(row.kind_code)
    return (
        tables.Value(row.title, href=reverse("records:detail", args=[row.id])),
        _(kind.label),
        row.visibility.label,
        tables.moment(row.updated_at),
    )


def _chip_labels(narrowed: RecordFilter) -> dict[str, str]:
    labels = {}
    known = {kind.code: _(kind.label) for kind in kinds()}
    if narrowed.kind:
        labels["kind"] = known.get(narrowed.kind, _("Unknown kind"))
    if narrowed.visibility:
        modes = {mode.value: str(mode.label) for mode in Visibility}
        labels["visibility"] = modes.get(narrowed.visibility, _("Unknown mode"))
    if narrowed.owner:
        labels["owner"] = _("My own records")
    return labels


def _shown(field: FieldView) -> str | None:
    if field.fault is not None:
        return str(field.fault.label)
    if field.is_hidden:
        return _("hidden")
    return field.value


def _hidden(view: RecordView) -> list[tuple[str, str]]:
    return [
        (_(field.spec.label), reverse("records:reveal", args=[view.id, field.spec.code]))
        for field in view.fields
        if field.is_hidden
    ]


def _about(view: RecordView) -> list[tuple[str, object]]:
    return [
        (_("Kind"), _(view.kind.label)),
        (_("Owner"), owner_name(view.owner_id, client_id=view.owner_client_id)),
        (_("Who sees it"), view.visibility.label),
        (_("Created"), tables.moment(view.created_at)),
        (_("Changed"), tables.moment(view.updated_at)),
        (_("Version"), view.version),
    ]


def _label(kind: KindSpec, code: str) -> str:
    field = kind.field(code)
    return _(field.label) if field else code


def _labels(kind: KindSpec, codes: tuple[str, ...]) -> list[str]:
    return [_label(kind, code) for code in codes]
