"""The limit on failed proofs of clients from one net, whichever clients they name.

The lock-out counts a client and a net together, so it does not see somebody who tries many client
ids, each a few times. This counts by net alone; who proves himself uses up nothing.
"""

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from audit.services import record
from foundation import rate_limit
from foundation.errors import TooMany
from foundation.net import client_ip
from foundation.principals import VISITOR
from integrations.partners import audit_events

CODE: Final = "net_limited"


def check(request: HttpRequest) -> None:
    """Let an attempt pass, or refuse it before any proof is looked at.

    Raises:
        TooMany: too many proofs from this net failed lately.
        CounterUnavailable: the counter does not answer; the attempt is refused.
    """
    verdict = rate_limit.look(
        _key(request),
        limit=settings.OAUTH_NET_FAILURES,
        window_seconds=settings.OAUTH_NET_WINDOW_SECONDS,
    )
    if not verdict.is_allowed:
        raise TooMany(
            _("Too many attempts failed. Wait and try again."),
            code=CODE,
            retry_after=verdict.free_in_seconds,
        )


def failed(request: HttpRequest) -> None:
    """Count a proof that failed; the one that fills the limit goes to the journal.

    The attempts refused after it do not: whoever floods the endpoint shall not flood the journal.

    Raises:
        CounterUnavailable: the counter does not answer.
    """
    verdict = rate_limit.take(
        _key(request),
        limit=settings.OAUTH_NET_FAILURES,
        window_seconds=settings.OAUTH_NET_WINDOW_SECONDS,
    )
    if verdict.is_allowed and verdict.remaining == 0:
        record(
            audit_events.INTERFACE_REFUSED,
            principal=VISITOR,
            outcome="denied",
            details={"code": CODE},
        )


def _key(request: HttpRequest) -> str:
    return f"oauth-net:{client_ip(request).net}"
