"""Pages of the vault: list, store, detail, test, replace, destroy. No page shows a secret."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from foundation.access.guards import principal_of, requires, step_up
from foundation.web import paging, tables
from foundation.web.forms import add_errors, render_form
from integrations.vault import services
from integrations.vault.errors import CredentialInvalid, NotUsable
from integrations.vault.forms import ApiKeyForm, DestroyForm, ReplaceForm
from integrations.vault.permissions import MANAGE, READ
from integrations.vault.queries import (
    colleagues,
    newest_result,
    view_of,
    views_of,
    visible_credential,
    visible_to,
)
from integrations.vault.reasons import reason_of
from integrations.vault.types import CredentialState, CredentialView, ResultView

COLUMNS = (
    tables.Column(gettext_lazy("Credential"), heading=True),
    tables.Column(gettext_lazy("State")),
    tables.Column(gettext_lazy("Hosts")),
    tables.Column(gettext_lazy("Person in charge")),
    tables.Column(gettext_lazy("Last used")),
)
VERSION_COLUMNS = (
    tables.Column(gettext_lazy("Version"), numeric=True, heading=True),
    tables.Column(gettext_lazy("State")),
    tables.Column(gettext_lazy("Stored")),
)
_BADGES = {
    CredentialState.ACTIVE: "good",
    CredentialState.EXPIRING: "warn",
    CredentialState.FAILING: "bad",
}


@require_GET
@requires(READ.code)
def credential_list(request: HttpRequest) -> HttpResponse:
    """List the organisation's credentials."""
    principal = principal_of(request)
    page = paging.by_cursor(request, visible_to(principal), order=("name", "id"))
    context = {
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, map(_cells, views_of(page.rows))),
        "page": page,
        "may_manage": principal.may(MANAGE.code),
    }
    return render(request, "vault/list.html", context)


@sensitive_post_parameters("key")
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
@never_cache
@requires(MANAGE.code)
def create(request: HttpRequest) -> HttpResponse:
    """Store an API key; from then on nobody can read it."""
    principal = principal_of(request)
    form = ApiKeyForm(
        request.POST if request.method == "POST" else None,
        people=colleagues(),
        chosen=principal.id,
    )
    if request.method == "POST" and form.is_valid():
        try:
            credential = services.store_api_key(form.new_key, principal=principal)
        except CredentialInvalid as error:
            add_errors(form, error)
        else:
            messages.success(request, _("The key is sealed and stored. Test it now."))
            return redirect("vault:detail", credential_id=credential.pk)
    return render_form(request, "vault/create.html", form, {"cancel_url": reverse("vault:list")})


@require_GET
@never_cache
@requires(READ.code)
def detail(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    """Show a credential with its versions and its last test."""
    principal = principal_of(request)
    view = view_of(visible_credential(credential_id, principal=principal))
    versions = [
        (version.number, version.state.label, tables.moment(version.created_at))
        for version in view.versions
    ]
    context = {
        "credential": view,
        "facts": _facts(view),
        "columns": tables.headings(request, VERSION_COLUMNS),
        "versions": tables.cells(VERSION_COLUMNS, versions),
        "may_manage": principal.may(MANAGE.code),
    }
    newest = newest_result(credential_id)
    if newest is not None:
        result = services.result_of_test(credential_id, newest.pk, principal=principal)
        context |= _result_context(credential_id, result)
    return render(request, "vault/detail.html", context)


@require_POST
@requires(MANAGE.code)
def test(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    """Ask for a test and lead to its page."""
    principal = principal_of(request)
    try:
        result_id = services.request_test(credential_id, principal=principal)
    except NotUsable as error:
        messages.error(request, error.message)
        return redirect("vault:detail", credential_id=credential_id)
    return redirect("vault:result", credential_id=credential_id, result_id=result_id)


@require_GET
@never_cache
@requires(READ.code)
def result(request: HttpRequest, credential_id: UUID, result_id: UUID) -> HttpResponse:
    """Show how far a test is; the fragment asks again by itself until it has finished."""
    principal = principal_of(request)
    found = services.result_of_test(credential_id, result_id, principal=principal)
    view = view_of(visible_credential(credential_id, principal=principal))
    is_fragment = bool(request.headers.get("HX-Request"))
    context = {"credential": view, **_result_context(credential_id, found)}
    answer = render(request, "vault/_result.html" if is_fragment else "vault/test.html", context)
    answer["Vary"] = "HX-Request"
    return answer


@sensitive_post_parameters("key")
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
@never_cache
@requires(MANAGE.code)
def replace(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    """Give a credential a new key."""
    principal = principal_of(request)
    view = view_of(visible_credential(credential_id, principal=principal))
    posted = request.POST if request.method == "POST" else None
    form = ReplaceForm(posted, initial={"replaces": view.version, "header": "Authorization"})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.store_version(
                credential_id,
                header=given["header"],
                key=given["key"],
                replaces=given["replaces"],
                principal=principal,
            )
        except CredentialInvalid as error:
            add_errors(form, error)
        else:
            messages.success(request, _("The new key is sealed and in use. Test it now."))
            return redirect("vault:detail", credential_id=credential_id)
    cancel_url = reverse("vault:detail", args=[credential_id])
    context = {"credential": view, "cancel_url": cancel_url}
    return render_form(request, "vault/replace.html", form, context)


@require_http_methods(["GET", "POST"])
@never_cache
@requires(MANAGE.code)
@step_up(seconds=300)
def destroy(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    """Say what is lost, and destroy the credential once its name was typed."""
    principal = principal_of(request)
    view = view_of(visible_credential(credential_id, principal=principal))
    posted = request.POST if request.method == "POST" else None
    form = DestroyForm(posted, expected=view.name)
    if request.method == "POST" and form.is_valid():
        services.destroy(credential_id, principal=principal)
        messages.success(request, _("The credential was destroyed."))
        return redirect("vault:detail", credential_id=credential_id)
    context = {
        "credential": view,
        "lost": [_("The key and all its versions"), _("Every use that is running")],
        "kept": [_("Name, hosts and history of this credential, without the key")],
        "cancel_url": reverse("vault:detail", args=[credential_id]),
    }
    return render_form(request, "vault/destroy.html", form, context)


def _cells(view: CredentialView) -> tuple[object, ...]:
    return (
        tables.Value(view.name, href=reverse("vault:detail", args=[view.id])),
        tables.Value(view.state.label, badge=_BADGES.get(view.state, "neutral")),
        ", ".join(view.hosts),
        view.owner,
        tables.moment(view.last_used_at) if view.last_used_at else _("never"),
    )


def _facts(view: CredentialView) -> list[tuple[str, object]]:
    used = _("never")
    if view.last_used_at:
        used = _("%(when)s, for: %(purpose)s") % {
            "when": tables.moment(view.last_used_at),
            "purpose": view.last_used_for,
        }
    return [
        (_("State"), view.state.label),
        (_("Type"), view.type.label),
        (_("Key"), _("sealed, shown to nobody")),
        (_("Allowed hosts"), ", ".join(view.hosts)),
        (_("Test address"), view.probe_url),
        (_("Person in charge"), view.owner),
        (_("Stored"), tables.moment(view.created_at)),
        (_("Last used"), used),
    ]


def _result_context(credential_id: UUID, found: ResultView) -> dict[str, object]:
    facts: list[tuple[str, object]] = [(_("Asked for"), tables.moment(found.requested_at))]
    if found.status is not None:
        facts.append((_("Status of the answer"), found.status))
    if found.elapsed_ms is not None:
        facts.append((_("Duration"), _("%(count)d ms") % {"count": found.elapsed_ms}))
    address = reverse("vault:result", args=[credential_id, found.id])
    return {
        "result": found,
        "result_facts": facts,
        "reason": reason_of(found.code),
        "poll_url": address,
        "refresh_url": address,
    }
