"""Drops destroyed keys before a request can use them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from encryption.services import check_revocations

# Monitors are answered even while the keys database hangs; their checks have a time limit.
WITHOUT_KEYS = "/health/"


class RevocationMiddleware:
    """Reads new revocations as each request starts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with keys that nobody has destroyed."""
        if not request.path_info.startswith(WITHOUT_KEYS):
            check_revocations()
        return self._get_response(request)
