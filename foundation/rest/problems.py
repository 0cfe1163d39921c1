"""Translate every failure of the API into problem details (RFC 9457), at this one edge."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from foundation.errors import AWAY, DomainError, FieldError, Invalid, TooMany, Unavailable
from foundation.rest.parsers import escape_pointer
from foundation.rest.permissions import ScopeMissing
from foundation.rest.problem_types import BY_STATUS, type_for
from foundation.rest.renderers import dump

CONTENT_TYPE = "application/problem+json"
PARAMETER_MARK = "?"
DEFAULT_RETRY_SECONDS = 30
MAX_ENTRIES = 100
MAX_SHOWN = 300


def handle(error: Exception, context: Mapping[str, object]) -> Response | None:
    """Answer a failure of an API view; the exception handler of Django REST framework.

    Returns:
        The problem; None for what is unforeseen, which Django records and answers with 500.
    """
    domain = as_domain_error(error)
    if domain is None:
        return None
    request = context.get("request")
    body = problem_of(domain, request_id=request_id_of(request))
    response = Response(body, status=domain.status, content_type=CONTENT_TYPE)
    for name, value in headers_of(domain, error).items():
        response[name] = value
    return response


def as_domain_error(error: Exception) -> DomainError | None:
    """Give the domain error that stands for an error of Django or a library."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, exceptions.ValidationError):
        return Invalid(_("The request is not valid."), errors=tuple(_field_errors(error.detail)))
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, AWAY):
        return Unavailable()
    return _of_django(error)


def problem_of(error: DomainError, *, request_id: str) -> dict[str, object]:
    """Give the members of a problem."""
    kind = type_for(error.reason_code, error.status)
    problem: dict[str, object] = {
        "type": type_address(kind.code),
        "title": str(kind.title),
        "status": int(error.status),
        "detail": error.message or str(kind.meaning),
        "code": error.reason_code,
        "request_id": request_id,
    }
    if isinstance(error, Invalid) and error.errors:
        problem["errors"] = [_entry(item) for item in error.errors[:MAX_ENTRIES]]
    return problem


def plain_problem(request: HttpRequest, *, status: int) -> HttpResponse:
    """Answer with the problem of a status alone, for failures outside of views."""
    kind = type_for(BY_STATUS.get(status, ""), status)
    body = {
        "type": type_address(kind.code),
        "title": str(kind.title),
        "status": status,
        "detail": str(kind.meaning),
        "code": kind.code,
        "request_id": request_id_of(request),
    }
    return HttpResponse(dump(body), status=status, content_type=CONTENT_TYPE)


def type_address(code: str) -> str:
    """Return the stable address of a problem type, which is also a page."""
    return f"{settings.BASE_URL}/developers/problems/{code}/"


def request_id_of(request: object) -> str:
    """Return the id that the first middleware gave to a request."""
    return str(getattr(request, "request_id", "") or "")


def headers_of(error: DomainError, cause: Exception) -> dict[str, str]:
    """Return the headers that belong to a problem."""
    headers: dict[str, str] = {}
    if isinstance(error, TooMany | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    retry_after = getattr(error, "retry_after_seconds", None)
    if isinstance(retry_after, int):
        headers["Retry-After"] = str(retry_after)
    if isinstance(error, ScopeMissing):
        headers["WWW-Authenticate"] = (
            f'Bearer realm="api", error="insufficient_scope", scope="{error.scope}"'
        )
    challenge = getattr(cause, "auth_header", None)
    if isinstance(challenge, str):
        headers["WWW-Authenticate"] = challenge
    return headers


def parameter_error(name: str, *, code: str, detail: str) -> Invalid:
    """Give the error of one wrong query parameter or header, which is named in the answer."""
    error = FieldError(pointer=PARAMETER_MARK + name, code=code, detail=detail)
    return Invalid(_("The request is not valid."), code=code, errors=(error,))


class _FrameworkError(DomainError):
    """An error of Django or its REST framework in our own terms."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message, code=code)
        self.status = status  # type: ignore[misc]  # one class stands for several statuses


def _of_framework(error: exceptions.APIException) -> DomainError:
    status = error.status_code
    if isinstance(error, exceptions.Throttled):
        return TooMany(str(error.detail), retry_after=DEFAULT_RETRY_SECONDS)
    code = type_for(BY_STATUS.get(status, ""), status).code
    own_code = error.get_codes()
    if isinstance(error, exceptions.AuthenticationFailed) and isinstance(own_code, str):
        code = own_code if own_code != "authentication_failed" else code
    return _FrameworkError(str(error.detail), code=code, status=status)


def _of_django(error: Exception) -> DomainError | None:
    found: dict[type[Exception], int] = {
        Http404: HTTPStatus.NOT_FOUND,
        PermissionDenied: HTTPStatus.FORBIDDEN,
        RequestDataTooBig: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        SuspiciousOperation: HTTPStatus.BAD_REQUEST,
        UnreadablePostError: HTTPStatus.BAD_REQUEST,
    }
    for kind, status in found.items():
        if isinstance(error, kind):
            return _FrameworkError("", code=BY_STATUS[status], status=status)
    return None


def _entry(item: FieldError) -> dict[str, str]:
    where = (
        {"parameter": item.pointer.removeprefix(PARAMETER_MARK)}
        if item.pointer.startswith(PARAMETER_MARK)
        else {"pointer": item.pointer}
    )
    shown = {**where, "code": item.code, "detail": str(item.detail)}
    return {name: _cut(text) for name, text in shown.items()}


def _cut(text: str) -> str:
    """Shorten what a sender made long, so that an answer never repeats a body."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _field_errors(detail: object, pointer: str = "") -> Iterator[FieldError]:
    if isinstance(detail, exceptions.ErrorDetail):
        yield FieldError(pointer=pointer, code=str(detail.code), detail=str(detail))
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = pointer if name == "non_field_errors" else f"{pointer}/{_part(name)}"
            yield from _field_errors(inner, own)
    elif isinstance(detail, Iterable) and not isinstance(detail, str):
        for position, inner in enumerate(detail):
            is_item = isinstance(inner, Mapping) and bool(inner)
            own = f"{pointer}/{position}" if is_item else pointer
            yield from _field_errors(inner, own)


def _part(name: object) -> str:
    return escape_pointer(str(name))
