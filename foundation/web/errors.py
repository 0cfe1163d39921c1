"""Refusals as pages: the reason, the next step and the request id; never a stack trace.

The pages need no database: they are drawn without context processors, so they can tell that the
database is gone.
"""

import logging
import sys
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _

from foundation.access.permissions import permissions
from foundation.errors import AWAY, DomainError, TooMany, Unavailable
from foundation.web.branding import branding
from foundation.web.texts import Text

log = logging.getLogger(__name__)

_API = "/api/"
_PAGES = frozenset({400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503})


def page(
    request: HttpRequest, status: int, *, reason: Text = "", permission: str = ""
) -> HttpResponse:
    """Return the page of a status.

    Args:
        request: whose id the page names.
        status: HTTP status of the answer.
        reason: what happened, in words for the person; the page has its own where empty.
        permission: code of the right that was missing; the page says it in words, so that it can
            be asked for.
    """
    if request.path.startswith(_API):
        return _problem(request, status, reason=reason)
    context = {
        "brand": branding(),
        "status": status,
        "reason": reason,
        "right": _right(permission),
        "request_id": getattr(request, "request_id", ""),
        "theme": request.COOKIES.get("theme", ""),
    }
    name = status if status in _PAGES else HTTPStatus.BAD_REQUEST
    try:
        body: str = render_to_string(f"errors/{int(name)}.html", context)
    except Exception:  # the last page must come, whatever is broken
        log.exception("web.error_page_failed")
        body = _plain(request)
    return HttpResponse(body, status=status)


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Return the page of a domain error, with ``Retry-After`` where waiting helps."""
    permission = getattr(error, "permission", "")
    response = page(request, int(error.status), reason=error.message, permission=permission)
    if isinstance(error, TooMany | Unavailable):
        response["Retry-After"] = str(error.retry_after)
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400 (``handler400``)."""
    del exception  # its words are for us, not for the sender
    return page(request, HTTPStatus.BAD_REQUEST)


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403 (``handler403``)."""
    del exception
    return page(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404 (``handler404``)."""
    del exception
    return page(request, HTTPStatus.NOT_FOUND)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500 (``handler500``), or 503 where a database or the cache does not answer."""
    error = sys.exc_info()[1]
    if isinstance(error, AWAY):
        return refusal(request, Unavailable())
    if isinstance(error, DomainError):
        return refusal(request, error)
    return page(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid token (``CSRF_FAILURE_VIEW``): usually an old page."""
    log.warning("web.csrf_failed", extra={"reason": reason, "debug": settings.DEBUG})
    return page(
        request,
        HTTPStatus.FORBIDDEN,
        reason=_(
            "This form is too old, or your browser sent it without our cookie. "
            "Nothing was changed. Open the page again and send the form once more."
        ),
    )


def _problem(request: HttpRequest, status: int, *, reason: Text) -> HttpResponse:
    """Answer a program in its own form (RFC 9457), where the API itself was not reached."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": str(reason),
        "request_id": str(getattr(request, "request_id", "")),
    }
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _right(code: str) -> Text:
    found = permissions.find(code)
    return "" if found is None else found.label


def _plain(request: HttpRequest) -> str:
    return format_html(
        '<!doctype html><html lang="en"><title>Error</title><h1>Something went wrong</h1>'
        "<p>Please try again later. Request: {}</p></html>",
        getattr(request, "request_id", ""),
    )
