"""Calls to services that the operator's settings name: the key services.

They differ from all other calls in three ways, which is why they are apart: the address comes from
a setting and never from a row or a person, so no interface lists hosts and private addresses are
usual; a key may be needed inside of a transaction; and the metadata service of the machine, where
clouds hand out identities, speaks plain HTTP on the link. Deadline, size, TLS, no redirects and no
proxies are as for every call.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection

from foundation.http.addresses import Address
from foundation.http.calls import Call, HttpAnswer, Limits, exchanged
from foundation.http.dialling import Deadline, GuardedConnection, Route, dial, system_resolver
from foundation.http.errors import TargetRefused
from foundation.http.targets import Target, normal_host

_PLAIN: Final = tuple(ip_network(net) for net in ("127.0.0.0/8", "::1/128", "169.254.0.0/16"))


@dataclass(frozen=True, slots=True)
class OwnService:
    """How services of the operator are reached.

    Attributes:
        limits: times and size of one call.
        ca_bundle: PEM of the authorities that sign their certificates; empty: the public ones.
    """

    limits: Limits
    ca_bundle: str = ""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """Make one call.

        Args:
            method: upper case.
            url: complete; ``https``, or ``http`` where loopback or the link answers.
            headers: more headers.
            body: exact bytes to send.

        Raises:
            TargetRefused: no such address, or plain HTTP beyond this machine and its link.
            NoAnswer: no connection, no trust, no answer in time.
            AnswerTooLarge: the body is larger than the limit.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise TargetRefused("The address of a service is wrong.", code="http.url_malformed")
        is_plain = parts.scheme == "http"
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        port = parts.port or (80 if is_plain else 443)
        target = Target(normal_host(parts.hostname), port, path, exception=None)
        connection_type = _PlainConnection if is_plain else GuardedConnection
        connection = connection_type(target.host, port, route=self._route(is_plain=is_plain))
        call = Call(
            method, url, {name.lower(): value for name, value in (headers or {}).items()}, body
        )
        return exchanged(connection, target, call, self.limits)

    def _route(self, *, is_plain: bool) -> Route:
        limits = self.limits
        return Route(
            judge=_OnLink() if is_plain else _Anywhere(),
            ca_bundle=self.ca_bundle,
            resolver=system_resolver,
            connect_seconds=limits.connect_seconds,
            deadline=Deadline(time.monotonic() + limits.total_seconds, limits.read_seconds),
        )


class _Anywhere:
    def refusal(self, address: Address) -> str | None:
        """Refuse nothing: the operator named the host, and its certificate is checked."""
        del address
        return None


class _OnLink:
    def refusal(self, address: Address) -> str | None:
        """Refuse what leaves the machine and its link: nothing would protect the call there."""
        return None if any(address in net for net in _PLAIN) else "plain"


class _PlainConnection(HTTPConnection):
    """A connection without TLS; knows no proxy."""

    def __init__(self, host: str, port: int, *, route: Route) -> None:
        super().__init__(host, port, timeout=route.connect_seconds)
        self.route = route

    def connect(self) -> None:
        """Connect to a judged address."""
        self.sock = dial(self.host, self.port or 80, route=self.route)
        self.sock.settimeout(self.route.deadline.left())
