"""The one client address: for throttles, lock-out, journal and mails.

A forwarding header is a claim of whoever wrote it. It counts only when the peer that handed us
the request is a proxy we named in ``TRUSTED_PROXIES`` (networks, or the word ``unix`` for our
own unix socket, whose peer address is empty). From anybody else the headers are deleted before
any other code can read them.

A trusted proxy must *append* to ``X-Forwarded-For``; no other header is read for the address.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

FORWARDING_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
    "HTTP_X_ORIGINATING_IP",
    "HTTP_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_FASTLY_CLIENT_IP",
)

_FORWARDED = "gatehouse.was_forwarded"  # no header can have this name
UNIX_SOCKET = "unix"
MAX_HOPS = 20

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class ClientAddress:
    """Where a request comes from.

    Attributes:
        address: textual address, IPv4 in mapped form unwrapped; empty if unknown.
        net: the /24 (IPv4) or /64 (IPv6) around it, all that is stored for long; empty if
            unknown.
        how: ``peer``, ``proxy`` or ``unknown``.
    """

    address: str
    net: str
    how: str

    @property
    def net_address(self) -> str:
        """First address of the net, for columns that hold an address and no prefix."""
        return self.net.partition("/")[0]


UNKNOWN = ClientAddress(address="", net="", how="unknown")


class ClientAddressMiddleware:
    """Delete forwarding headers that nobody we trust has written. Stands first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Clean the headers and pass the request on."""
        if not _peer_is_trusted(request):
            request.META[_FORWARDED] = was_forwarded(request)
            for header in FORWARDING_HEADERS:
                request.META.pop(header, None)
        return self.get_response(request)


def was_forwarded(request: HttpRequest) -> bool:
    """Say whether a request came with a forwarding header, also one that was deleted since.

    Whoever sees a loopback peer needs it: a proxy on the same machine is one too.
    """
    named = any(header in request.META for header in FORWARDING_HEADERS)
    return named or bool(request.META.get(_FORWARDED))


def client_ip(request: HttpRequest) -> ClientAddress:
    """Say where a request comes from; never raises.

    Behind trusted proxies the answer is the rightmost address of ``X-Forwarded-For`` that is no
    trusted proxy itself. A malformed entry ends the walk: what stands left of it was written by
    nobody we know, so the address of the last good hop is used.
    """
    peer = parse(str(request.META.get("REMOTE_ADDR", "")))
    if not _peer_is_trusted(request):
        return UNKNOWN if peer is None else _found(peer, how="peer")
    client = _last_untrusted_hop(str(request.META.get("HTTP_X_FORWARDED_FOR", "")), nearest=peer)
    return UNKNOWN if client is None else _found(client, how="peer" if client is peer else "proxy")


def parse(text: str) -> Address | None:
    """Read an address with or without port, brackets or zone; None if it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def net_of(address: Address) -> str:
    """The /24 or /64 around an address: who shares it, shares a line or a home."""
    prefix = 24 if address.version == 4 else 64  # noqa: PLR2004 - the IP version
    return str(ip_network(f"{address}/{prefix}", strict=False))


def _found(address: Address, *, how: str) -> ClientAddress:
    return ClientAddress(address=str(address), net=net_of(address), how=how)


def _last_untrusted_hop(header: str, *, nearest: Address | None) -> Address | None:
    client = nearest
    hops = [hop for hop in header.split(",") if hop.strip()]
    for hop in reversed(hops[-MAX_HOPS:]):
        address = parse(hop)
        if address is None:
            return client
        client = address
        if not _in_networks(address):
            return client
    return client


def _peer_is_trusted(request: HttpRequest) -> bool:
    remote = str(request.META.get("REMOTE_ADDR", ""))
    if not remote:
        return UNIX_SOCKET in settings.TRUSTED_PROXIES
    peer = parse(remote)
    return peer is not None and _in_networks(peer)


def _in_networks(address: Address) -> bool:
    names = tuple(name for name in settings.TRUSTED_PROXIES if name != UNIX_SOCKET)
    return any(address in network for network in _networks(names))


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(name, strict=False) for name in names)
