"""Read the address of a call once, strictly, and say which interface rule it falls under.

Two parsers that read one address differently are the oldest way around a guard. So the address is
taken apart here and the request is built from the parts; no other code parses it again.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import quote, urlsplit

from foundation.contracts.interfaces import Interface, PrivateTarget
from foundation.http.errors import InterfaceRefused, TargetRefused

PUBLIC_PORTS = frozenset({443, 8443})
MAX_URL_CHARACTERS = 8192
MAX_HOST_CHARACTERS = 253

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_LABELS = re.compile(
    r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*"
)
_UNRESERVED_PATH = "/%:@!$&'()*+,;=-._~"
_UNRESERVED_QUERY = "/%:@!$&'()*+,;=-._~?"


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address.

    Attributes:
        host: lower-case ASCII, no trailing dot, IPv6 without brackets.
        port: number that is dialled.
        path: path and query as they are sent.
        exception: the private target that allows it, if one does.
    """

    host: str
    port: int
    path: str
    exception: PrivateTarget | None

    @property
    def authority(self) -> str:
        """Value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443
        return host if self.port == default else f"{host}:{self.port}"


def read_target(url: str, *, interface: Interface) -> Target:
    """Check an address against the rules for all calls and against its interface.

    Raises:
        TargetRefused: scheme, port, form or user information.
        InterfaceRefused: the host is not one of the interface's.
    """
    if len(url) > MAX_URL_CHARACTERS or _FORBIDDEN.search(url):
        raise TargetRefused(
            "The address is too long or holds a forbidden character.", code="http.url_malformed"
        )
    host, port, path = _taken_apart(url)
    if host not in interface.hosts:
        raise InterfaceRefused(
            "This interface may not call that host. Add the host to the interface first.",
            code="interface.host_refused",
        )
    exception = _exception(interface, host, port)
    if exception is None and port not in PUBLIC_PORTS:
        raise TargetRefused("Only the ports 443 and 8443 may be called.", code="http.port_refused")
    return Target(host=host, port=port, path=path, exception=exception)


def normal_host(text: str) -> str:
    """Give a host name in the one form that interfaces list and calls compare.

    Raises:
        TargetRefused: it is no host name and no address.
    """
    text = text.strip("[]") if ":" in text else text.removesuffix(".")
    try:
        return str(IPv6Address(text)) if ":" in text else _checked_name(_ascii(text.lower()))
    except (ValueError, UnicodeError) as error:
        raise TargetRefused("The host name is not valid.", code="http.url_malformed") from error


def _taken_apart(url: str) -> tuple[str, int, str]:
    try:
        parts = urlsplit(url)
        port, hostname = parts.port, parts.hostname
    except ValueError as error:
        raise TargetRefused("The address cannot be read.", code="http.url_malformed") from error
    if parts.scheme != "https":
        raise TargetRefused("Only https addresses may be called.", code="http.scheme_refused")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise TargetRefused(
            "An address may not hold a user name or password.", code="http.userinfo_refused"
        )
    if not hostname or "%" in parts.netloc:
        raise TargetRefused("The address names no host.", code="http.url_malformed")
    path = quote(parts.path or "/", safe=_UNRESERVED_PATH)
    query = "?" + quote(parts.query, safe=_UNRESERVED_QUERY) if parts.query else ""
    return normal_host(hostname), 443 if port is None else port, path + query


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _checked_name(host: str) -> str:
    if len(host) > MAX_HOST_CHARACTERS or not _LABELS.fullmatch(host):
        raise ValueError(host)
    return host


def _exception(interface: Interface, host: str, port: int) -> PrivateTarget | None:
    return next(
        (
            private
            for private in interface.private_targets
            if (private.host, private.port) == (host, port)
        ),
        None,
    )
