"""What every answer carries: request id, security headers, language, plain refusals."""

import re
from collections.abc import Callable
from typing import TypeAlias

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from foundation.errors import AWAY, DomainError, Unavailable
from foundation.identifiers import uuid7
from foundation.observability import request_id_scope
from foundation.web import csp, errors, preferences

Next: TypeAlias = Callable[[HttpRequest], HttpResponseBase]

# Names are those Chromium knows; an unknown one is a console error on every page.
_FORBIDDEN_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
    "xr-spatial-tracking",
)
_FIXED = {
    "Referrer-Policy": "same-origin",  # "no-referrer" would take the Origin from our own forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FORBIDDEN_FEATURES),
}
_CLIENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestId:
    """Give each request an id of our own; the sender's is kept apart, as a mere claim."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set ``request.request_id`` and ``request.client_request_id``; answer with the first."""
        claimed = request.headers.get("X-Request-Id", "")
        request.request_id = uuid7()  # type: ignore[attr-defined]  # ours, on Django's class
        request.client_request_id = (  # type: ignore[attr-defined]  # ours, on Django's class
            claimed if _CLIENT_ID.fullmatch(claimed) else ""
        )
        with request_id_scope(str(request.request_id)):  # type: ignore[attr-defined]  # set above
            response = self.get_response(request)
        response["X-Request-Id"] = str(request.request_id)  # type: ignore[attr-defined]  # set above
        return response


class SecurityHeaders:
    """Set the policy and the other headers on every answer (frontend.md 2)."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self._policy = csp.header(settings.SECURE_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with all headers; a view may only narrow the policy for a user's file."""
        response = self.get_response(request)
        if response.get("Content-Security-Policy") != csp.FILE_POLICY:
            response["Content-Security-Policy"] = self._policy
        for name, value in _FIXED.items():
            response.setdefault(name, value)
        response.setdefault("Cache-Control", "no-store")  # after sign-out, Back shows nothing
        if request.is_secure() and settings.SECURE_HSTS_SECONDS:
            response.setdefault("Strict-Transport-Security", _hsts())
        return response


class ChosenLanguage:
    """Speak the language a signed-in person chose; stands after the principal is known."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Activate the stored language for the rest of the request."""
        language = preferences.language_of(request)
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return self.get_response(request)


class Fragments:
    """Rules for htmx: vary by its header, and lead to a whole page where a session is lost."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Turn a redirect of a fragment into a redirect of the page (frontend.md 4)."""
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        location = response.get("Location")
        if "HX-Request" in request.headers and location is not None:
            whole = HttpResponse(status=204, headers={"HX-Redirect": location})
            whole.cookies.update(getattr(response, "cookies", {}))
            return whole
        return response


class ErrorPages:
    """Translate domain errors and lost databases into pages, once, at the edge."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal of a view; leave everything else to Django."""
        if isinstance(error, DomainError):
            return errors.refusal(request, error)
        if isinstance(error, AWAY):
            return errors.refusal(request, Unavailable())
        return None


def _hsts() -> str:
    value = f"max-age={settings.SECURE_HSTS_SECONDS}"
    return f"{value}; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else value
