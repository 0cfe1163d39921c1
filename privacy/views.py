"""Pages of privacy: a person's own data, the copy of it, and its erasure."""

from http import HTTPStatus
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from foundation.access.guards import (
    open_to_all,
    principal_of,
    signed_in,
    step_up,
    without_scope,
)
from foundation.errors import Conflict, NotFound
from privacy import listing, queries
from privacy.models import SubjectRequest
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services import erasure, exports, receipts, subject_requests

WORKING = frozenset({RequestState.RECEIVED, RequestState.OPEN})
SHOWN = 25


@require_GET
@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    """Show what is held, why and how long, and the person's requests."""
    principal = principal_of(request)
    context = {
        "request_columns": listing.headings(listing.REQUESTS),
        "requests": listing.requests(queries.requests_of(principal)[:SHOWN]),
        "source_columns": listing.headings(listing.SOURCES),
        "sources": listing.sources(),
        "planned": queries.planned_erasure_of(principal),
    }
    return render(request, "privacy/overview.html", context)


@require_POST
@signed_in
@step_up(seconds=300)
def ask_copy(request: HttpRequest) -> HttpResponse:
    """Ask for a copy and lead to its page, or to that of the request that is open already."""
    principal = principal_of(request)
    try:
        asked = subject_requests.receive_access(_user(request), principal=principal)
    except Conflict as conflict:
        messages.info(request, conflict.message)
        present = queries.open_copy_of(principal)
        if present is None:
            return redirect("privacy:overview")
        asked = present
    return redirect("privacy:request", request_id=asked.pk)


@require_GET
@never_cache
@signed_in
def request_page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Show one request; while its copy is being made the page asks again by itself."""
    found = queries.request_of(principal_of(request), request_id=request_id)
    template = "privacy/_request.html" if request.headers.get("HX-Request") else None
    answer = render(request, template or "privacy/request.html", _request_context(found))
    answer["Vary"] = "HX-Request"
    return answer


@require_POST
@never_cache
@signed_in
@step_up(seconds=300)
@without_scope
def fetch_copy(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Send the copy once, as an attachment."""
    principal = principal_of(request)
    found = queries.request_of(principal, request_id=request_id)
    try:
        content = exports.fetch(found, principal=principal)
    except NotFound as gone:
        messages.error(request, gone.message)
        return redirect("privacy:overview")
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@require_http_methods(["GET", "POST"])
@never_cache
@signed_in
@step_up(seconds=300)
@without_scope
def erasure_page(request: HttpRequest) -> HttpResponse:
    """Show what an erasure deletes and keeps, and plan it when confirmed."""
    principal = principal_of(request)
    user = _user(request)
    if request.method == "POST" and request.POST.get("confirm") == "yes":
        try:
            erasure.schedule(user, principal=principal)
        except Conflict as conflict:
            messages.info(request, conflict.message)
        return redirect("privacy:overview")
    context = {
        "columns": listing.headings(listing.COUNTS),
        "counts": listing.counts(erasure.preview(user)),
        "planned": queries.planned_erasure_of(principal),
        "led_alone": queries.led_alone_by(user.pk),
    }
    return render(request, "privacy/erasure.html", context)


@require_POST
@signed_in
def cancel_erasure(request: HttpRequest) -> HttpResponse:
    """Cancel the planned erasure by one click."""
    principal = principal_of(request)
    plan = queries.planned_erasure_of(principal)
    if plan is None:
        messages.info(request, _("No erasure is planned."))
        return redirect("privacy:overview")
    try:
        erasure.cancel(plan, principal=principal)
    except Conflict as conflict:
        messages.error(request, conflict.message)
    else:
        messages.success(request, _("The erasure is cancelled. Nothing was erased."))
    return redirect("privacy:overview")


@require_GET
@never_cache
@open_to_all("an erased person has no account; the secret address is the key to the receipt")
def receipt_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the signed receipt of an erasure, or when it will be there."""
    plan = queries.plan_by_receipt(receipts.digest(token))
    if plan is None:
        return render(request, "privacy/receipt.html", {}, status=HTTPStatus.NOT_FOUND)
    receipt = getattr(plan, "receipt", None)
    if receipt is not None and "download" in request.GET:
        answer = HttpResponse(receipts.file_of(receipt), content_type="application/json")
        answer["Content-Disposition"] = 'attachment; filename="erasure-receipt.json"'
        return answer
    context: dict[str, object] = {"plan": plan, "receipt": receipt}
    if receipt is not None:
        context["columns"] = listing.headings(listing.COUNTS)
        context["items"] = listing.items(plan.items.order_by("title", "label"))
    return render(request, "privacy/receipt.html", context)


def _user(request: HttpRequest) -> User:
    found = cast("UUID", principal_of(request).id)  # the guard let signed-in people through alone
    return User.objects.get(pk=found)


def _request_context(found: SubjectRequest) -> dict[str, object]:
    return {
        "found": found,
        "title": listing.kind(found),
        "state": listing.state(found),
        "working": found.kind == RequestKind.ACCESS and found.state in WORKING,
        "ready": found.kind == RequestKind.ACCESS and found.state == RequestState.READY,
    }
