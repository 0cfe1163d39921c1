"""Pages that belong to no app: choices, help, contact, reports of the browser, small files."""

import json
import logging
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST, require_safe

from foundation import clock, net, rate_limit
from foundation.access.guards import open_to_all
from foundation.web import preferences
from foundation.web.branding import branding
from foundation.web.help_topics import Topic, topics

log = logging.getLogger(__name__)

_REPORT_BYTES = 16_384
_REPORTS_PER_MINUTE = 30
_SECURITY_TXT_DAYS = 180  # RFC 9116 recommends less than a year


@open_to_all("a choice of language changes nothing but the sender's own pages")
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language and go back."""
    response = HttpResponseRedirect(_way_back(request))
    preferences.keep_language(request, response, request.POST.get("language", ""))
    return response


@open_to_all("a choice of theme changes nothing but the sender's own pages")
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme and go back."""
    response = HttpResponseRedirect(_way_back(request))
    preferences.keep_theme(request, response, request.POST.get("theme", ""))
    return response


@open_to_all("help is needed most by those who cannot sign in")
@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    """List the help topics."""
    return render(request, "help/index.html", {"topics": topics()})


@open_to_all("help is needed most by those who cannot sign in")
@require_safe
def help_topic(request: HttpRequest, app: str, page: str) -> HttpResponse:
    """Show one help topic, the template ``help/<app>/<page>.html``."""
    topic = Topic(app, page)
    if topic not in topics():
        raise Http404
    return render(request, topic.template)


@open_to_all("who cannot sign in must find whom to ask")
@require_safe
def contact(request: HttpRequest) -> HttpResponse:
    """Say whom to ask, and what to have at hand."""
    return render(request, "web/contact.html")


@open_to_all("browsers send reports without signing in; they are counted and limited")
@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Log a breach of the content security policy, without what might be personal."""
    body = request.read(_REPORT_BYTES + 1)
    if len(body) > _REPORT_BYTES:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if not _within_limit(request):
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS)
    log.warning("web.csp_report %s", json.dumps(_safe_report(body), sort_keys=True))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@open_to_all("a well-known file")
@require_GET
def robots(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # shape of a view
    """Keep search engines out: nothing here is for an index."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")


@open_to_all("a well-known file")
@require_GET
def security_txt(request: HttpRequest) -> HttpResponse:
    """Say how to report a weakness (RFC 9116)."""
    contact_address = getattr(settings, "SECURITY_CONTACT", "") or branding().contact
    if not contact_address:
        raise Http404
    expires = (clock.now() + timedelta(days=_SECURITY_TXT_DAYS)).replace(microsecond=0)
    scheme = "" if ":" in contact_address else "mailto:"
    lines = (
        f"Contact: {scheme}{contact_address}",
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        f"Preferred-Languages: {', '.join(code for code, _name in settings.LANGUAGES)}",
        f"Canonical: {request.build_absolute_uri('/.well-known/security.txt')}",
    )
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@open_to_all("a well-known file")
@require_GET
def manifest(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  # shape of a view
    """Name the portal and its icon to the browser."""
    name = branding().name
    picture = {"src": static("web/favicon.svg"), "sizes": "any", "type": "image/svg+xml"}
    return JsonResponse(
        {
            "name": name,
            "short_name": name,
            "start_url": "/",
            "display": "browser",
            "icons": [picture],
        },
        content_type="application/manifest+json",
    )


@open_to_all("browsers ask for it by themselves")
@require_GET
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # shape of a view
    """Lead to the picture of the portal."""
    return HttpResponseRedirect(static("web/favicon.svg"))


def _way_back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if own else "/"


def _within_limit(request: HttpRequest) -> bool:
    try:
        return rate_limit.allow(
            f"csp-report:{net.client_ip(request).net}",
            limit=_REPORTS_PER_MINUTE,
            window_seconds=60,
        )
    except rate_limit.CounterUnavailable:
        return False


def _safe_report(body: bytes) -> dict[str, str]:
    """Keep the directive, the blocked origin and the path of the page; drop queries and samples."""
    try:
        sent = json.loads(body)
        report = sent.get("csp-report", sent) if isinstance(sent, dict) else None
        if not isinstance(report, dict):
            return {"directive": "unreadable"}
        blocked = urlsplit(str(report.get("blocked-uri", ""))[:500])
        page = urlsplit(str(report.get("document-uri", ""))[:500])
    except (ValueError, RecursionError):
        return {"directive": "unreadable"}
    return {
        "directive": str(report.get("effective-directive", ""))[:60],
        "blocked": f"{blocked.scheme}://{blocked.netloc}" if blocked.netloc else blocked.path[:60],
        "page": page.path[:200],
    }
