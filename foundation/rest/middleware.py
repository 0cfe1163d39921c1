"""Give failures that never reach an API view the form of all others."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from foundation.rest.problems import CONTENT_TYPE, plain_problem

API_PREFIX = "/api/"
FIRST_FAILURE = 400
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class ApiProblems:
    """Turns every 4xx and 5xx under ``/api/`` that is no problem document into one.

    Stands near the outside, so that what other middleware refuses is covered too: unknown
    addresses, wrong hosts, too large bodies, failures of our own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on and look at the answer."""
        response = self.get_response(request)
        if not _needs_problem(request, response):
            return response
        problem = plain_problem(request, status=response.status_code)
        for name in KEPT_HEADERS:
            if name in response:
                problem[name] = response[name]
        response.close()
        return problem


def _needs_problem(request: HttpRequest, response: HttpResponseBase) -> bool:
    content_type = str(response.get("Content-Type", ""))
    return (
        request.path_info.startswith(API_PREFIX)
        and response.status_code >= FIRST_FAILURE
        and not content_type.startswith(CONTENT_TYPE)
    )
