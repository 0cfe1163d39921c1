"""Domain errors: what services raise and the edges (pages, API, commands) translate once.

A message is for the person who meets it: it says the reason and the cure, and holds neither
personal data nor a secret. Not found and not allowed look alike from outside.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from django.db import InterfaceError, OperationalError
from redis import RedisError

# What the drivers raise where a database or the cache is away; every edge answers with 503.
AWAY = (OperationalError, InterfaceError, RedisError)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong member of an input.

    Attributes:
        pointer: JSON pointer (RFC 6901) of the member, ``/`` form fields included.
        code: stable code of the mistake.
        detail: sentence that says what is wrong and what would be right.
    """

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """Parent of all errors that are part of the product's behaviour."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = HTTPStatus.BAD_REQUEST

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason_code = code or self.code


class NotFound(DomainError):
    """The object does not exist, or not for this principal."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND


class Denied(DomainError):
    """The principal is known and may not do this."""

    code = "denied"
    status = HTTPStatus.FORBIDDEN


class Invalid(DomainError):
    """The input is wrong; ``errors`` says where."""

    code = "invalid"
    status = HTTPStatus.BAD_REQUEST

    def __init__(
        self, message: str = "", *, code: str | None = None, errors: tuple[FieldError, ...] = ()
    ) -> None:
        super().__init__(message, code=code)
        self.errors = errors


class Conflict(DomainError):
    """The act does not fit the present state, for example a stale version."""

    code = "conflict"
    status = HTTPStatus.CONFLICT


class TooMany(DomainError):
    """A limit is reached; ``retry_after`` is in seconds."""

    code = "too_many"
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(
        self, message: str = "", *, code: str | None = None, retry_after: int = 60
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A server that is needed does not answer; ``retry_after`` is in seconds."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(
        self, message: str = "", *, code: str | None = None, retry_after: int = 30
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
