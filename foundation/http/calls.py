"""Make one call to an outside system, or several in a session.

Every call names a registered interface, is made outside of database transactions, goes to a host
of that interface over a verified TLS connection, follows no redirect, ignores the proxies of the
environment, ends after a total time and keeps a limited, undecoded answer.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlencode, urljoin

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as LibraryTimeoutError
from urllib3.response import BaseHTTPResponse

from foundation.contracts.interfaces import (
    Direction,
    Interface,
    find_interface,
    is_registered,
)
from foundation.http.addresses import Judge, PrivateException, PublicOnly
from foundation.http.dialling import Deadline, GuardedConnection, Resolver, Route, system_resolver
from foundation.http.errors import (
    AnswerTooLarge,
    HeaderRefused,
    InterfaceRefused,
    NoAnswer,
)
from foundation.http.targets import Target, read_target
from foundation.transactions import refuse_open_transaction

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
USER_AGENT = "Gatehouse/1"
CHUNK_BYTES = 16 * 1024
_TOKEN_CHARACTERS = frozenset(
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)
_OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take and how much it may bring.

    Attributes:
        connect_seconds: to open the connection, name and TLS included per step.
        read_seconds: silence of the other side that ends the call.
        total_seconds: whole call, from resolving to the last byte.
        answer_bytes: largest body that is kept.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    total_seconds: float = 15.0
    answer_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """Who judges addresses and who resolves names.

    The product uses this as it stands. Tests of the guard make their own to see each trick
    succeed without it.
    """

    public: Judge = field(default_factory=PublicOnly)
    private: Judge = field(default_factory=PrivateException)
    resolver: Resolver = system_resolver


@dataclass(frozen=True, slots=True)
class Call:
    """A request as an authenticator sees it, to sign or to extend.

    Attributes:
        method: upper case.
        url: the checked address.
        headers: what the sender set, names in lower case.
        body: exact bytes.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Authenticator(Protocol):
    """Adds what proves who calls. The caller can neither read nor replace it."""

    def headers_for(self, call: Call) -> Mapping[str, str]:
        """Return headers that take the place of any of the same name."""
        ...


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back.

    Attributes:
        status: status code; a redirect is an answer like others and was not followed.
        headers: names in lower case; of repeated ones, the values joined by commas.
        body: bytes as they came, not decoded.
        elapsed_ms: duration of the call.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3

    @property
    def text(self) -> str:
        """The body as UTF-8, with marks where it is none."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> object:
        """Return the body read as JSON.

        Raises:
            NoAnswer: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NoAnswer(
                "The other system did not answer in JSON.", code="http.no_json"
            ) from error


@dataclass(frozen=True, slots=True)
class Session:
    """Several calls through one interface, with one authenticator.

    Attributes:
        interface: the registered interface.
        base_url: addresses may be given relative to it.
        authenticator: adds credentials to each call.
        before_each: asked before each call; raises to stop (a lease that ended).
        limits: for each call.
        policy: addresses and names.
    """

    interface: Interface
    base_url: str = ""
    authenticator: Authenticator | None = None
    before_each: Callable[[], None] = lambda: None
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)

    def get(self, url: str, *, params: Mapping[str, str | int] | None = None) -> HttpAnswer:
        """Fetch; ``params`` become the query."""
        return self.request("GET", f"{url}?{urlencode(params)}" if params else url)

    def post(self, url: str, *, json_body: object) -> HttpAnswer:
        """Send JSON."""
        return self.request(
            "POST",
            url,
            headers={"Content-Type": "application/json"},
            body=json.dumps(json_body).encode(),
        )

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """Make one call; errors as :func:`request`."""
        self.before_each()
        interface = _usable(self.interface)
        refuse_open_transaction()
        absolute = urljoin(self.base_url, url)
        target = read_target(absolute, interface=interface)
        sent = _checked_headers(headers or {})
        call = Call(method=_checked_method(method), url=absolute, headers=sent, body=body)
        if self.authenticator is not None:
            sent |= _checked_headers(self.authenticator.headers_for(call))
        return _exchange(self, target, replace(call, headers=sent))


def request(  # noqa: PLR0913 - the parts of an HTTP request
    interface: Interface | str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    limits: Limits | None = None,
    policy: Policy | None = None,
) -> HttpAnswer:
    """Make one call to an outside system.

    Args:
        interface: registered interface or its code.
        method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
        url: complete https address.
        headers: more headers; those of the connection itself are refused.
        body: exact bytes to send.
        limits: times and size; defaults: 5 s to connect, 10 s of silence, 15 s, 64 KB.
        policy: for tests of the guard.

    Raises:
        InterfaceRefused: no such interface, not complete, switched off, or host not listed.
        TargetRefused: the address or what it resolves to may not be called.
        OpenTransaction: a database transaction is open.
        NoAnswer: no connection, no trust, no answer in time.
        AnswerTooLarge: the body is larger than the limit.
    """
    session = Session(
        interface=_usable(interface), limits=limits or Limits(), policy=policy or Policy()
    )
    return session.request(method, url, headers=headers, body=body)


def exchanged(connection: HTTPConnection, target: Target, call: Call, limits: Limits) -> HttpAnswer:
    """Send a call over a connection of its own, read the answer and close; for this package."""
    started = time.monotonic()
    try:
        status, headers, body = _sent_and_read(connection, target, call, limits)
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(
            "The certificate of the other system is not trusted or names another host.",
            code="http.certificate_refused",
        ) from error
    except (TimeoutError, LibraryTimeoutError) as error:
        raise NoAnswer("The other system did not answer in time.", code="http.timeout") from error
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise NoAnswer("The other system could not be reached.") from error
    finally:
        connection.close()
    elapsed_ms = round((time.monotonic() - started) * 1000)
    return HttpAnswer(status=status, headers=headers, body=body, elapsed_ms=elapsed_ms)


def _usable(interface: Interface | str) -> Interface:
    found = find_interface(interface) if isinstance(interface, str) else interface
    if found is None or not is_registered(found):
        raise InterfaceRefused("No interface of that name is registered.", code="interface.unknown")
    if not found.is_complete or found.direction is Direction.IN:
        raise InterfaceRefused(
            "The interface is not complete: owner, purpose and hosts must be named.",
            code="interface.incomplete",
        )
    if not found.is_enabled:
        raise InterfaceRefused("The interface is switched off.", code="interface.disabled")
    return found


def _checked_method(method: str) -> str:
    if method not in METHODS:
        raise HeaderRefused("The method is not known.", code="http.method_refused")
    return method


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if not name or not set(name) <= _TOKEN_CHARACTERS or name.lower() in _OWN_HEADERS:
            raise HeaderRefused("A header of that name may not be set.")
        if any(character < " " or character > "~" for character in value):
            raise HeaderRefused("A header value holds a character that may not be sent.")
        checked[name.lower()] = value
    return checked


def _exchange(session: Session, target: Target, call: Call) -> HttpAnswer:
    route = _route(session, target, time.monotonic())
    connection = GuardedConnection(target.host, target.port, route=route)
    return exchanged(connection, target, call, session.limits)


def _route(session: Session, target: Target, started: float) -> Route:
    private = target.exception
    limits = session.limits
    return Route(
        judge=session.policy.public if private is None else session.policy.private,
        ca_bundle="" if private is None else private.ca_bundle,
        resolver=session.policy.resolver,
        connect_seconds=limits.connect_seconds,
        deadline=Deadline(at=started + limits.total_seconds, read_seconds=limits.read_seconds),
    )


def _sent_and_read(
    connection: HTTPConnection, target: Target, call: Call, limits: Limits
) -> tuple[int, dict[str, str], bytes]:
    headers = {
        "User-Agent": USER_AGENT,
        **{name.title(): value for name, value in call.headers.items()},
        "Host": target.authority,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    connection.request(
        call.method,
        target.path,
        body=call.body or None,
        headers=headers,
        preload_content=False,
        decode_content=False,
    )
    answer = connection.getresponse()
    body = _read_limited(answer, limits.answer_bytes)
    return answer.status, _joined(answer.headers.items()), body


def _read_limited(answer: BaseHTTPResponse, limit: int) -> bytes:
    body = bytearray()
    while chunk := answer.read(CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > limit:
            raise AnswerTooLarge("The answer of the other system is larger than allowed.")
    return bytes(body)


def _joined(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in items:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
