"""Allow-lists of addresses from which a client may come."""

from collections.abc import Sequence
from ipaddress import ip_network

from foundation.net import parse


def admits(allowlist: Sequence[str], address: str) -> bool:
    """Say whether an address is within a client's list; an empty list admits all."""
    if not allowlist:
        return True
    found = parse(address)
    return found is not None and any(
        found in ip_network(entry, strict=False) for entry in allowlist
    )
