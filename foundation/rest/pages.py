"""Public pages for developers of clients: the way in, the limits, and each kind of problem."""

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from foundation.access.guards import open_to_all
from foundation.rest.listing import DEFAULT_LIMIT, MAX_LIMIT
from foundation.rest.problem_types import problem_types
from foundation.rest.scopes import scopes
from foundation.rest.throttling import STANDARD_PLAN

SAMPLES = Path(__file__).parent / "samples"


@open_to_all("developers read how the API works before they have a client")
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Explain how to get a client, a token and the first answer."""
    requests, window_seconds = settings.API_PLANS[STANDARD_PLAN]
    context = {
        "api_url": f"{settings.BASE_URL}/api/v1/",
        "samples": {name: _sample(name) for name in ("key", "start", "token", "first")},
        "requests": requests,
        "window_seconds": window_seconds,
        "default_limit": DEFAULT_LIMIT,
        "max_limit": MAX_LIMIT,
        "scopes": scopes.all(),
        "problems": problem_types.all(),
    }
    return render(request, "developers/overview.html", context)


@open_to_all("the address of a problem type stands in every answer that failed")
@require_safe
def problem_type(request: HttpRequest, code: str) -> HttpResponse:
    """Explain one kind of problem."""
    kind = problem_types.find(code)
    if kind is None:
        raise Http404
    return render(request, "developers/problem.html", {"kind": kind})


def _sample(name: str) -> str:
    text = (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    return text.replace("BASE_URL", settings.BASE_URL).strip()
