"""Open the one TLS connection of a call, to an address that was judged at that moment.

The name is resolved once, every address it gives is judged, and the socket is connected to a
judged number: between the check and the use there is no second look-up that could answer
otherwise (DNS rebinding). Afterwards the kernel is asked whom it really reached.
"""

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from urllib3.connection import HTTPSConnection

from foundation.http.addresses import Address, Judge, canonical
from foundation.http.errors import NoAnswer, TargetRefused

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAX_ADDRESSES = 16

Resolver = Callable[[str, int], Sequence[str]]


@dataclass(slots=True)
class Deadline:
    """The moment at which a call ends, whatever the other side does."""

    at: float
    read_seconds: float

    def left(self) -> float:
        """Seconds that the next operation on the socket may take.

        Raises:
            TimeoutError: none are left.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call took too long")
        return min(left, self.read_seconds)


@dataclass(frozen=True, slots=True)
class Route:
    """How one target is reached.

    Attributes:
        judge: decides about each address where it is dialled.
        ca_bundle: PEM that replaces the public authorities; empty: the public ones.
        resolver: gives the addresses of a name, as text.
        connect_seconds: time for one connection.
        deadline: end of the whole call.
    """

    judge: Judge
    ca_bundle: str
    resolver: Resolver
    connect_seconds: float
    deadline: Deadline


class TimedSocket(ssl.SSLSocket):
    """A TLS socket whose every operation ends at the deadline of the call.

    Without it a server that sends a byte each second would hold the call for ever: a time-out
    per operation never fires.
    """

    deadline: Deadline | None = None

    def recv_into(
        self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0
    ) -> int:
        """Read, at most until the deadline."""
        self._arm()
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Write, at most until the deadline."""
        self._arm()
        return super().send(data, flags)

    def _arm(self) -> None:
        if self.deadline is not None:
            self.settimeout(self.deadline.left())


class GuardedConnection(HTTPSConnection):
    """urllib3's connection with a socket factory of our own; knows no proxy."""

    def __init__(self, host: str, port: int, *, route: Route) -> None:
        super().__init__(host, port, timeout=route.connect_seconds)
        self.route = route

    def connect(self) -> None:
        """Connect to a judged address and verify the name in the certificate."""
        raw = dial(self.host, self.port or 443, route=self.route)
        try:
            raw.settimeout(min(self.route.connect_seconds, self.route.deadline.left()))
            secured = tls_context(self.route.ca_bundle).wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise
        if isinstance(secured, TimedSocket):
            secured.deadline = self.route.deadline
        self.sock = secured
        self.is_verified = True


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the operating system for the addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


def dial(host: str, port: int, *, route: Route) -> socket.socket:
    """Resolve a name once, judge what came, and connect to the first address that answers.

    A name with one refused address is refused as a whole: a mixture of public and private
    addresses is the mark of an attack, not of a service.

    Raises:
        TargetRefused: an address may not be called.
        OSError: nothing answers.
    """
    addresses = _judged(host, port, route)
    failure: OSError | None = None
    for address in addresses:
        try:
            return _connected(address, port, route)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


@lru_cache(maxsize=32)
def tls_context(ca_bundle: str) -> ssl.SSLContext:
    """Return a context that verifies chain and name, TLS 1.2 or newer.

    Raises:
        TargetRefused: the bundle holds no certificate.
    """
    try:
        context = ssl.create_default_context(cadata=ca_bundle or None)
    except (ssl.SSLError, ValueError) as error:
        raise TargetRefused(
            "The certificates of this private target cannot be read.", code="http.ca_bundle_invalid"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TimedSocket
    return context


def _judged(host: str, port: int, route: Route) -> list[Address]:
    try:
        texts = route.resolver(host, port)
        addresses = [canonical(text) for text in dict.fromkeys(texts)][:MAX_ADDRESSES]
    except (OSError, UnicodeError, ValueError) as error:
        raise _name_unknown() from error
    if not addresses:
        raise _name_unknown()
    for address in addresses:
        reason = route.judge.refusal(address)
        if reason is not None:
            raise TargetRefused(
                "The address leads into a network that may not be called from here.",
                code=f"http.address_{reason}",
            )
    return addresses


def _name_unknown() -> NoAnswer:
    return NoAnswer("The host name is not known.", code="http.name_unknown")


def _connected(address: Address, port: int, route: Route) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(min(route.connect_seconds, route.deadline.left()))
        connection.connect((str(address), port))
        _check_peer(connection, route.judge)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_peer(connection: socket.socket, judge: Judge) -> None:
    peer = canonical(str(connection.getpeername()[0]))
    reason = judge.refusal(peer)
    if reason is not None:
        raise TargetRefused(
            "The address leads into a network that may not be called from here.",
            code=f"http.address_{reason}",
        )
