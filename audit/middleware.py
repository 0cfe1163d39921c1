"""The request's part of each entry."""

import ipaddress
from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit import browsers
from audit.context import Context, cut_user_agent, opened
from foundation.access.guards import principal_of
from foundation.identifiers import uuid7
from foundation.net import client_ip

_FOUND_AS = {"peer": "direct", "proxy": "forwarded", "unknown": "unknown"}
_PREFIX = {4: 24, 6: 48}


class JournalContext:
    """Open the journal's context for a request; stands after the principal is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on inside its context."""
        with opened(of_request(request)):
            return self.get_response(request)


def of_request(request: HttpRequest) -> Context:
    """Return the context of a request."""
    client = client_ip(request)
    user_agent = cut_user_agent(request.headers.get("User-Agent", ""))
    request_id = getattr(request, "request_id", None)
    return Context(
        request_id=request_id if isinstance(request_id, UUID) else uuid7(),
        client_request_id=str(getattr(request, "client_request_id", "")),
        address=client.address,
        net=journal_net(client.address),
        how=_FOUND_AS.get(client.how, "unknown"),
        user_agent=user_agent,
        browser=browsers.family(user_agent),
        channel="api" if request.path.startswith("/api/") else "web",
        principal=principal_of(request),
    )


def journal_net(address: str) -> str:
    """Return the network of an address as entries show it: /24, or /48 for IPv6."""
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{address}/{_PREFIX[parsed.version]}", strict=False))
