"""The OAuth2 endpoints that are mounted: token, revoke, introspect and the metadata document.

Their errors are those of RFC 6749, never a problem document and never a 500: what the library
cannot read is an ``invalid_request``.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, Protocol

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_backends import get_oauthlib_core
from oauthlib.common import Request as OauthlibRequest

from accounts.services import lock_out
from foundation import clock
from foundation.access.guards import open_to_all
from foundation.errors import TooMany, Unavailable
from foundation.net import client_ip
from integrations.partners import assertions, key_sets, net_limit
from integrations.partners.digests import digest_of
from integrations.partners.oauth import CLIENT_ADDRESS, Validator, claimed_client_id
from integrations.partners.services.onboardings import grantable_scopes

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 30
SERVED_GRANTS: Final = ("client_credentials",)
UNNAMED: Final = "unnamed-client"

Answer = Callable[[HttpRequest], HttpResponse]
Answered = tuple[str | None, Mapping[str, str], str, int]


class _Core(Protocol):
    """What is used of the library's core, which has no types."""

    def create_token_response(self, request: HttpRequest) -> Answered: ...

    def create_revocation_response(self, request: HttpRequest) -> Answered: ...

    def _extract_params(self, request: HttpRequest) -> tuple[str, str, str, dict[str, object]]: ...


@csrf_exempt
@require_POST
@never_cache
@open_to_all("clients prove who they are in the request itself")
def token(request: HttpRequest) -> HttpResponse:
    """Give an access token to a client that proves who it is."""
    return _guarded(request, _token)


@csrf_exempt
@require_POST
@never_cache
@open_to_all("clients prove who they are in the request itself")
def revoke(request: HttpRequest) -> HttpResponse:
    """Revoke a token of the calling client (RFC 7009)."""
    return _guarded(request, _revoke)


@csrf_exempt
@require_POST
@never_cache
@open_to_all("clients prove who they are in the request itself")
def introspect(request: HttpRequest) -> HttpResponse:
    """Say whether a token of the calling client is alive (RFC 7662); others' look dead."""
    return _guarded(request, _introspect)


@require_GET
@open_to_all("the metadata document is public (RFC 8414)")
def metadata(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Tell clients where the endpoints are and what they take (RFC 8414)."""
    base = settings.BASE_URL
    methods = ["private_key_jwt", "client_secret_basic", "client_secret_post"]
    return JsonResponse(
        {
            "issuer": base,
            "token_endpoint": assertions.token_url(),
            "revocation_endpoint": f"{base}/oauth2/revoke",
            "introspection_endpoint": f"{base}/oauth2/introspect",
            "response_types_supported": [],
            "grant_types_supported": list(SERVED_GRANTS),
            "scopes_supported": list(grantable_scopes()),
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": list(key_sets.ALGORITHMS),
            "revocation_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_methods_supported": methods,
            "service_documentation": f"{base}/developers/",
        }
    )


def oauth_error(error: str, description: str, *, status: int) -> JsonResponse:
    """Answer in the form of RFC 6749, 5.2."""
    return JsonResponse({"error": error, "error_description": description}, status=status)


def _guarded(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Ask both limits before any secret is compared, and tell them of each refusal."""
    try:
        name = _prepared(request)
        net_limit.check(request)
        lock_out.check(request, name)
        response = answer(request)
        _tell_limits(request, name, response.status_code)
    except TooMany as locked:
        return _retry_later("slow_down", locked.retry_after, HTTPStatus.TOO_MANY_REQUESTS)
    except (Unavailable, DatabaseError):
        logger.warning("token endpoint is not available", exc_info=True)
        return _retry_later(
            "temporarily_unavailable", RETRY_SECONDS, HTTPStatus.SERVICE_UNAVAILABLE
        )
    except RequestDataTooBig:
        return oauth_error("invalid_request", "The body is too large.", status=413)
    except (SuspiciousOperation, UnreadablePostError, ValueError):
        return oauth_error("invalid_request", "The request cannot be read.", status=400)
    return response


def _prepared(request: HttpRequest) -> str:
    """Note the caller's address for the validator, and return the client id that is claimed.

    Raises:
        ValueError: a parameter holds a NUL.
    """
    request.META[CLIENT_ADDRESS] = client_ip(request).address
    for name, values in request.POST.lists():
        if any("\x00" in text for text in (name, *map(str, values))):
            raise ValueError("a parameter holds a NUL")
    claimed = claimed_client_id(
        basic=request.META.get("HTTP_AUTHORIZATION", ""),
        client_id=str(request.POST.get("client_id", "")),
        assertion=str(request.POST.get("client_assertion", "")),
    )
    return claimed or UNNAMED


def _tell_limits(request: HttpRequest, name: str, status: int) -> None:
    if status == HTTPStatus.UNAUTHORIZED:
        net_limit.failed(request)
        lock_out.failed(request, name)
    elif status == HTTPStatus.OK:
        lock_out.succeeded(name)


def _token(request: HttpRequest) -> HttpResponse:
    if request.POST.get("grant_type") not in SERVED_GRANTS:
        # The library would serve the device flow, which is not mounted.
        return oauth_error("unsupported_grant_type", "This grant is not served.", status=400)
    _url, headers, body, status = _core().create_token_response(request)
    return _answer(headers, body, status)


def _revoke(request: HttpRequest) -> HttpResponse:
    _url, headers, body, status = _core().create_revocation_response(request)
    return _answer(headers, body or "", status)


def _introspect(request: HttpRequest) -> HttpResponse:
    core = _core()
    uri, method, body, headers = core._extract_params(request)  # noqa: SLF001  the library's helper
    asked = OauthlibRequest(uri, method, body, headers)
    if request.GET:
        return oauth_error("invalid_request", "Parameters belong into the body.", status=400)
    if not Validator().authenticate_client(asked):
        return oauth_error("invalid_client", "The client is not known.", status=401)
    value = request.POST.get("token", "")
    if not value:
        return oauth_error("invalid_request", "Send the token to look at.", status=400)
    found = AccessToken.objects.filter(
        token_checksum=digest_of(value),
        application=asked.client,
        expires__gt=clock.now(),
    ).first()
    if found is None:
        return JsonResponse({"active": False})
    return JsonResponse(
        {
            "active": True,
            "scope": found.scope,
            "client_id": asked.client.client_id,
            "token_type": "Bearer",
            "exp": int(found.expires.timestamp()),
        }
    )


def _core() -> _Core:
    core: _Core = get_oauthlib_core()  # type: ignore[no-untyped-call]  # the library's
    return core


def _answer(headers: Mapping[str, str], body: str, status: int) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="application/json")
    for name, value in headers.items():
        response[name] = value
    return response


def _retry_later(error: str, seconds: int, status: int) -> HttpResponse:
    response = oauth_error(error, "Try again later.", status=status)
    response["Retry-After"] = str(seconds)
    return response
