"""Limit requests by plan and client, shared by all nodes.

Headers follow draft-ietf-httpapi-ratelimit-headers (10): ``RateLimit-Policy`` names the quota
``q`` and the window ``w``, ``RateLimit`` what remains, ``r``, and for how long, ``t``. They are
refreshed here when the draft becomes an RFC.
"""

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from foundation.errors import TooMany
from foundation.net import client_ip
from foundation.principals import Principal
from foundation.rate_limit import Verdict, take

STANDARD_PLAN = "standard"
OPEN_PLAN = "open"


class LimitReached(TooMany):
    """The plan's requests of this window are used up."""

    code = "too_many"


@dataclass(frozen=True, slots=True)
class PlanLimit:
    """How many requests a plan has in how many seconds."""

    name: str
    requests: int
    window_seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands after this request."""

    limit: PlanLimit
    verdict: Verdict

    @property
    def headers(self) -> dict[str, str]:
        """The two headers of the draft."""
        name, limit = self.limit.name, self.limit
        return {
            "RateLimit-Policy": f'"{name}";q={limit.requests};w={limit.window_seconds}',
            "RateLimit": f'"{name}";r={self.verdict.remaining};t={self.verdict.free_in_seconds}',
        }


def count(request: HttpRequest, principal: Principal | None) -> Standing:
    """Count one request of a principal, or of a net where nobody is known.

    Raises:
        CounterUnavailable: the counter does not answer; the request is refused.
    """
    limit = _limit(principal)
    whom = _whom(request, principal)
    key = hashlib.sha256(f"api:{limit.name}:{whom}".encode()).hexdigest()
    verdict = take(key, limit=limit.requests, window_seconds=limit.window_seconds)
    return Standing(limit=limit, verdict=verdict)


def refuse_if_over(standing: Standing) -> None:
    """Raise if the counted request was over the limit.

    Raises:
        LimitReached: it was.
    """
    if not standing.verdict.is_allowed:
        raise LimitReached(
            _("Too many requests. Please wait and send it again."),
            retry_after=standing.verdict.free_in_seconds,
        )


def _limit(principal: Principal | None) -> PlanLimit:
    name = OPEN_PLAN if principal is None else principal.plan or STANDARD_PLAN
    plans: dict[str, tuple[int, int]] = settings.API_PLANS
    requests, window_seconds = plans.get(name, plans[STANDARD_PLAN])
    return PlanLimit(name=name, requests=requests, window_seconds=window_seconds)


def _whom(request: HttpRequest, principal: Principal | None) -> str:
    if principal is not None:
        return f"{principal.kind}:{principal.credential_id or principal.id}"
    return f"net:{client_ip(request).net}"
