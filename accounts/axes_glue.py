"""The one place that speaks with axes: who is counted, from where, and whether he may try.

A lock binds a user name AND a net, so nobody locks an owner out from afar (identity.md 5). What
axes stores is masked here: nets for addresses, the browser's family for its description, and a
keyed digest for an identifier that no person owns.
"""

from collections.abc import Mapping

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import signals
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import User
from audit.browsers import family
from encryption import services as keys
from foundation.net import client_ip as address_of
from foundation.web import errors

PERSON_METHODS = frozenset({"", "password", "totp", "recovery_codes"})
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  a column's placeholder, nothing listens here
MAX_CHARACTERS = 254
IDENTIFIER_PURPOSE = "accounts.unknown_identifier"


class MaskingHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes ships no types
    """Writes the browser's family where axes would write its whole description."""

    def user_login_failed(
        self,
        sender: object,
        credentials: dict[str, object],
        request: HttpRequest | None = None,
        **kwargs: object,
    ) -> None:
        """Count a failure under masked values."""
        if request is not None:
            agent = request.META.get("HTTP_USER_AGENT", "")
            request.axes_user_agent = family(agent)  # type: ignore[attr-defined]  # axes' own
        super().user_login_failed(sender, credentials, request, **kwargs)


def username(request: HttpRequest | None, credentials: Mapping[str, object] | None) -> str | None:
    """Return the identifier an attempt is counted under: stripped, lower-cased, masked."""
    identifier = _identifier(request, credentials or {})
    if identifier is None:
        return None
    if str((credentials or {}).get("method", "")) not in PERSON_METHODS:
        return _digest(identifier)  # somebody may send a secret in place of the client's id
    return _masked(request, identifier)


def client_ip(request: HttpRequest) -> str:
    """Return the first address of the net a request comes from; a full address is not stored."""
    return address_of(request).net_address or UNKNOWN_ADDRESS


def log_text(*_parts: object) -> str:
    """Return what axes writes into logs about who tried: nothing, the journal knows."""
    return "(see the journal)"


def may_try(request: HttpRequest, identifier: str, *, method: str) -> bool:
    """Say whether an identifier may be tried from this net now."""
    return bool(AxesProxyHandler.is_allowed(request, {"username": identifier, "method": method}))


def count_failure(
    request: HttpRequest, identifier: str, *, method: str, step_up: bool = False
) -> None:
    """Count a failure of a code or client secret as axes counts passwords."""
    signals.user_login_failed.send(
        sender=__name__,
        credentials={"username": identifier, "method": method, "step_up": step_up},
        request=request,
    )


def forget(identifier: str) -> None:
    """Forget the failures of a client's identifier, from wherever they came."""
    AxesProxyHandler.reset_attempts(username=_digest(_plain(identifier)))


def locked_page(
    request: HttpRequest,
    response: HttpResponse | None = None,  # noqa: ARG001  axes' signature
    credentials: Mapping[str, object] | None = None,  # noqa: ARG001
) -> HttpResponse:
    """Answer a locked attempt: the same words whether or not the account exists."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    reason = _(
        "Too many attempts failed for this address from your network. "
        "Wait 15 minutes and try again."
    )
    page = errors.page(request, 429, reason=reason)
    page["Retry-After"] = str(seconds)
    return page


def _identifier(request: HttpRequest | None, credentials: Mapping[str, object]) -> str | None:
    for name in ("email", "username", "client_id"):
        found = credentials.get(name)
        if found:
            return _plain(str(found))
    posted = request.POST.get("login") if request is not None else None
    return _plain(posted) if posted else None


def _masked(request: HttpRequest | None, identifier: str) -> str:
    """Return an address that somebody owns, else a keyed digest; looked up once per request."""
    known: dict[str, str] = getattr(request, "identifiers", {})
    if identifier not in known:
        owned = User.objects.filter(email=identifier).exists()
        known[identifier] = identifier if owned else _digest(identifier)
        if request is not None:
            request.identifiers = known  # type: ignore[attr-defined]  # a cache of ours
    return known[identifier]


def _digest(identifier: str) -> str:
    return keys.mac(IDENTIFIER_PURPOSE, identifier.encode(errors="replace")).hex()


def _plain(identifier: str) -> str:
    return identifier.strip().lower().replace("\x00", "")[:MAX_CHARACTERS]
