"""Which addresses a call may reach: the heart of the guard against SSRF.

An address is judged as the number that is dialled, never as the text that was typed, so decimal,
octal and hexadecimal spellings need no rule of their own. An IPv6 address that carries an IPv4
address is judged by both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol

Address = IPv4Address | IPv6Address

# Services that hand out secrets of the machine they run on; refused even to exceptions.
# Sources: the providers' documentation of AWS, Azure, Alibaba, Oracle and GCP.
METADATA = tuple(
    ip_network(net)
    for net in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)
# Never globally routable, or translated into something that cannot be judged. Source: IANA
# special-purpose address registries; some are missing from ipaddress in older 3.11 releases.
NEVER = tuple(
    ip_network(net)
    for net in (
        "0.0.0.0/8",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
NAT64 = ip_network("64:ff9b::/96")
ISATAP_MARKS = (0x00005EFE, 0x02005EFE)


class Judge(Protocol):
    """Decides about an address at the moment it is dialled."""

    def refusal(self, address: Address) -> str | None:
        """Return why the address may not be dialled, or None."""
        ...


@dataclass(frozen=True, slots=True)
class PublicOnly:
    """Allows what every host on the internet could reach, and nothing else."""

    def refusal(self, address: Address) -> str | None:
        """Return why the address may not be dialled, or None."""
        return next((reason for part in parts(address) if (reason := _not_public(part))), None)


@dataclass(frozen=True, slots=True)
class PrivateException:
    """Allows addresses of our own networks too, for one registered private target."""

    def refusal(self, address: Address) -> str | None:
        """Return why the address may not be dialled, or None."""
        return next((reason for part in parts(address) if (reason := _never(part))), None)


def parts(address: Address) -> Iterator[Address]:
    """Give the address and every IPv4 address that is wrapped in it.

    A mapped address is no address of its own: the kernel dials the IPv4 address inside.
    """
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    yield from _embedded(address)


def canonical(text: str) -> Address:
    """Read an address as a resolver gives it, without its zone."""
    return ip_address(text.partition("%")[0])


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in NAT64 or (int(address) >> 32) & 0xFFFFFFFF in ISATAP_MARKS:
        yield low


def _never(address: Address) -> str | None:
    if any(address in net for net in METADATA):
        return "metadata"
    if address.is_multicast:
        return "multicast"
    if address.is_unspecified or address == IPv4Address("255.255.255.255"):
        return "unspecified"
    return None


def _not_public(address: Address) -> str | None:
    refused = _never(address)
    if refused is not None:
        return refused
    if address.is_loopback:
        return "loopback"
    if address.is_reserved and address not in NAT64:
        return "reserved"
    if not address.is_global or any(address in net for net in NEVER):
        return "not_public"
    return None
