"""``/health/...`` for proxies and monitors: no session, no version, reasons only inside."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from foundation.access.guards import open_to_all
from foundation.contracts.health import HealthAnswer, HealthState
from foundation.net import client_ip, was_forwarded
from operations.health import contributions, services

_UNAVAILABLE = 503
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@require_safe
@never_cache
@open_to_all("monitors ask without signing in; says only that the process runs")
def live(_request: HttpRequest) -> HttpResponse:
    """Say that the process answers; depends on nothing."""
    return JsonResponse({"state": "live"})


@require_safe
@never_cache
@open_to_all("proxies ask without signing in; reasons are shown on the machine itself only")
def ready(request: HttpRequest) -> HttpResponse:
    """Say whether this process can serve people; inside also why not, and what is about to fail."""
    answers = services.of_readiness()
    reasons = _words(answers, HealthState.RED)
    answer: dict[str, object] = {"state": "not ready" if reasons else "ready"}
    if _is_inside(request):
        found = {"reasons": reasons, "warnings": _words(answers, HealthState.AMBER)}
        answer |= {name: words for name, words in found.items() if words}
    return JsonResponse(answer, status=_UNAVAILABLE if reasons else HTTPStatus.OK)


@require_safe
@never_cache
@open_to_all("orchestrators ask without signing in; says only whether the schema is there")
def startup(_request: HttpRequest) -> HttpResponse:
    """Say whether the migrations of this release are applied."""
    checks = [check for check in contributions.ALL if check.name == "migrations"]
    answers = services.run(checks).values()
    if all(answer.state is HealthState.GREEN for answer in answers):
        return JsonResponse({"state": "started"})
    return JsonResponse({"state": "not started"}, status=_UNAVAILABLE)


def _words(answers: Mapping[str, HealthAnswer], state: HealthState) -> dict[str, str]:
    return {
        name: f"{found.detail} {found.cure}".strip()
        for name, found in answers.items()
        if found.state is state
    }


def _is_inside(request: HttpRequest) -> bool:
    """Say whether the question comes from this machine: by its address and by the name it uses.

    A proxy on this machine that is not among ``TRUSTED_PROXIES`` looks like this machine too, but
    hands on the public host name or says for whom it asks.
    """
    own_name = urlsplit(f"//{request.get_host()}").hostname in {"localhost", *_LOOPBACK}
    return own_name and client_ip(request).address in _LOOPBACK and not was_forwarded(request)
