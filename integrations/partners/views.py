"""Pages of partners: confirm an address, accept terms, look after one's clients."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from foundation.access.guards import open_to_all, principal_of, requires, step_up
from foundation.errors import Conflict, Denied, Invalid, NotFound
from foundation.principals import Principal
from integrations.partners import agreements, pages, queries
from integrations.partners.errors import LinkNotValid
from integrations.partners.forms import AcceptTermsForm, ConfirmForm, MakeSecretForm
from integrations.partners.models import Onboarding, PartnerClient
from integrations.partners.permissions import MANAGE_CLIENTS, READ_CLIENTS
from integrations.partners.services import clients, onboardings
from integrations.partners.types import OnboardingState


@require_http_methods(["GET", "POST"])
@never_cache
@open_to_all("the link in the mail is the proof; it opens nothing else")
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm the address a mail was sent to; only POST does, as scanners follow links."""
    try:
        if request.method == "POST":
            onboardings.confirm_address(token)
            return render(request, "partners/confirmed.html")
    except LinkNotValid:
        return _link_not_valid(request)
    if queries.onboarding_to_confirm(token) is None:
        return _link_not_valid(request)
    return render(request, "partners/confirm.html", {"form": ConfirmForm()})


@require_GET
@requires(READ_CLIENTS)
def overview(request: HttpRequest) -> HttpResponse:
    """List the organisation's clients and say what the onboarding waits for."""
    principal = principal_of(request)
    onboarding = queries.onboarding_of_organisation(principal.organisation_id)
    context = {
        "onboarding": onboarding,
        "step": onboardings.next_step(onboarding) if onboarding else None,
        "may_manage": principal.may(MANAGE_CLIENTS),
        **pages.client_table(request, queries.clients_of(principal.organisation_id)),
    }
    return render(request, "partners/overview.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@requires(MANAGE_CLIENTS)
@step_up(seconds=300)
def terms(request: HttpRequest) -> HttpResponse:
    """Show the texts with version and digest, and accept them for the organisation."""
    principal = principal_of(request)
    onboarding = _own_onboarding(principal)
    if onboarding.state != OnboardingState.DOMAIN_PROVED:
        messages.info(request, _("There is nothing to accept now."))
        return redirect("partners:overview")
    if request.method == "GET":
        return _terms_page(request, onboarding, AcceptTermsForm(initial=pages.shown_digests()))
    form = AcceptTermsForm(request.POST)
    if not form.is_valid() or principal.id is None:
        return _terms_page(request, onboarding, form)
    try:
        onboardings.accept_terms(
            onboarding.pk, digests=form.digests(), principal=principal, user_id=principal.id
        )
    except (Conflict, Invalid) as refused:
        messages.error(request, refused.message)
        return redirect("partners:terms")
    messages.success(request, _("The terms are accepted. Your sandbox client is ready."))
    return redirect("partners:overview")


@require_POST
@requires(MANAGE_CLIENTS)
def ask_approval(request: HttpRequest) -> HttpResponse:
    """Ask the operator's staff for the live client."""
    principal = principal_of(request)
    onboarding = _own_onboarding(principal)
    try:
        onboardings.ask_approval(onboarding.pk, principal=principal)
    except Conflict as conflict:
        messages.error(request, conflict.message)
    else:
        messages.success(request, _("The operator's staff were asked. You get a mail."))
    return redirect("partners:overview")


@require_GET
@never_cache
@requires(READ_CLIENTS)
def client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show one client: scopes, last use, expiry, secrets."""
    principal = principal_of(request)
    found = queries.client_for(principal, client_id)
    context = {
        "client": found,
        "facts": pages.client_facts(found),
        "secrets": pages.secret_rows(found),
        "may_manage": principal.may(MANAGE_CLIENTS) and found.is_usable(request),
    }
    return render(request, "partners/client.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@requires(MANAGE_CLIENTS)
@step_up(seconds=300)
def make_secret(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Make a secret and show it, this once."""
    principal = principal_of(request)
    found = queries.client_for(principal, client_id)
    form = MakeSecretForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _make_secret_page(request, found)
    try:
        value = clients.make_secret(
            found.pk, form_id=form.cleaned_data["form_id"], principal=principal
        )
    except (Conflict, Denied) as refused:
        messages.error(request, refused.message)
        return redirect("partners:client", client_id=client_id)
    if value is None:
        messages.info(request, _("This secret was shown already and is never shown again."))
        return redirect("partners:client", client_id=client_id)
    return render(request, "partners/secret.html", {"client": found, "secret": value})


@require_http_methods(["GET", "POST"])
@never_cache
@requires(MANAGE_CLIENTS)
@step_up(seconds=300)
def revoke_secret(request: HttpRequest, client_id: UUID, secret_id: UUID) -> HttpResponse:
    """End one secret."""
    principal = principal_of(request)
    found = queries.client_for(principal, client_id)
    if not found.secrets.filter(pk=secret_id).exists():
        raise NotFound
    if request.method == "POST":
        clients.revoke_secret(secret_id, client_id=found.pk, principal=principal)
        messages.success(request, _("The secret is revoked."))
        return redirect("partners:client", client_id=client_id)
    context = {
        "client": found,
        "lost": [_("The secret opens nothing from the next request on."), _("Its tokens end.")],
        "kept": [_("The client and its other secret.")],
        "cancel_url": _address(client_id),
    }
    return render(request, "partners/revoke_secret.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@requires(MANAGE_CLIENTS)
@step_up(seconds=300)
def revoke_client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """End a client for good."""
    principal = principal_of(request)
    found = queries.client_for(principal, client_id)
    if request.method == "POST":
        clients.revoke(found.pk, principal=principal)
        messages.success(request, _("The client is revoked."))
        return redirect("partners:overview")
    context = {
        "client": found,
        "lost": [_("The client, its tokens, its keys and its secrets.")],
        "kept": [_("All records the client has created.")],
        "cancel_url": _address(client_id),
    }
    return render(request, "partners/revoke_client.html", context)


def _own_onboarding(principal: Principal) -> Onboarding:
    onboarding = queries.onboarding_of_organisation(principal.organisation_id)
    if onboarding is None:
        raise NotFound
    return onboarding


def _terms_page(
    request: HttpRequest, onboarding: Onboarding, form: AcceptTermsForm
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {
        "form": form,
        "onboarding": onboarding,
        "texts": pages.shown_texts(agreements.current_terms()),
    }
    return render(request, "partners/terms.html", context, status=status)


def _make_secret_page(request: HttpRequest, found: PartnerClient) -> HttpResponse:
    """Show the button; after a form that nobody was shown, say so beside a good one."""
    status = HTTPStatus.OK
    if request.method == "POST":
        messages.error(request, _("This form did not come from here. Use the button below."))
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    context = {"client": found, "form": MakeSecretForm(), "cancel_url": _address(found.pk)}
    return render(request, "partners/make_secret.html", context, status=status)


def _link_not_valid(request: HttpRequest) -> HttpResponse:
    return render(request, "partners/link_not_valid.html", status=HTTPStatus.NOT_FOUND)


def _address(client_id: UUID) -> str:
    return reverse("partners:client", args=[client_id])
