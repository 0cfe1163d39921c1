"""Who may see ``/demo/``: a browser on this machine, on a database marked as demo, nobody else.

The page shows passphrases and codes, so each condition is checked at every request
(runtime.md 3).
"""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from foundation.access.guards import open_to_all
from foundation.models import Installation
from foundation.net import was_forwarded

Arguments = ParamSpec("Arguments")
Page = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]

VIA = "HTTP_VIA"


def demo_only(page: Page[Arguments]) -> Page[Arguments]:
    """Answer like a page that does not exist unless every condition holds."""

    @open_to_all("shows made-up people only; demo database, loopback and localhost are checked")
    @wraps(page)
    def guarded(
        request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponse:
        if not is_demo_request(request):
            raise Http404
        return page(request, *args, **kwargs)

    return guarded  # type: ignore[return-value]  # the guard keeps the page's own answer type


def is_demo_request(request: HttpRequest) -> bool:
    """Say whether a request may see the demo pages."""
    return (
        settings.DEMO
        and not was_forwarded(request)
        and VIA not in request.META
        and request.get_host().split(":")[0] == "localhost"
        and _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and Installation.objects.filter(kind=Installation.Kind.DEMO).exists()
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
