"""What stands between a cookie and a view: session, policy, principal, assurance, scope."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import assurance, principal
from accounts.models import User
from accounts.services import sessions
from accounts.session_engine import key_of
from accounts.types import SessionEnd
from foundation import clock
from foundation.access.guards import guard_of, principal_of
from foundation.errors import AWAY, Denied, DomainError, Unavailable
from foundation.net import client_ip
from foundation.tenancy import organisation_scope
from foundation.web import errors

Next: TypeAlias = Callable[[HttpRequest], HttpResponseBase]
View: TypeAlias = Callable[..., HttpResponseBase]

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
STAFF_IDLE = timedelta(minutes=15)
STAFF_ABSOLUTE = timedelta(hours=8)
WHILE_RECOVERY_MISSING = frozenset({"enrolment_recovery", "enrolment_confirm", "account_logout"})
REASONS = {
    SessionEnd.IDLE: _("You were signed out because nothing happened for a while."),
    SessionEnd.ABSOLUTE: _("You were signed out because the session reached its longest life."),
    SessionEnd.OTHER_BROWSER: _("You were signed out because the browser had changed."),
}

logger = logging.getLogger(__name__)


class HashedSessionMiddleware(SessionMiddleware):
    """Keeps the secret in the cookie and everything else under its digest (identity.md 7)."""

    def process_request(self, request: HttpRequest) -> None:
        """Open the session that the cookie's secret stands for."""
        secret = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        request.session = self.SessionStore(key_of(secret) if secret else None)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save, and put the secret where Django puts the key."""
        answered = super().process_response(request, response)
        cookie = answered.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and cookie.value:
            secret = getattr(request.session, "secret", None) or request.COOKIES.get(
                settings.SESSION_COOKIE_NAME, ""
            )
            cookie.set(settings.SESSION_COOKIE_NAME, secret, secret)
        return answered


class SessionPolicyMiddleware:
    """Ends sessions that were left alone, lived too long or moved to another browser."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Judge the session of a signed-in person before anything else looks at it."""
        if request.user.is_authenticated:
            user = request.user
            why = _why_over(request, user)
            if why is None:
                _follow_network(request)
                sessions.touch(request)
            else:
                sessions.expire(request, user, why)
                request.session.flush()
                request.user = AnonymousUser()
                messages.info(request, str(REASONS.get(why, _("You were signed out."))))
        return self.get_response(request)


class PrincipalMiddleware:
    """Sets ``request.principal``, read anew from the memberships for each request."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Say who acts; a visitor before the second factor."""
        request.principal = principal.of_request(request)  # type: ignore[attr-defined]  # ours
        return self.get_response(request)


class AssuranceMiddleware:
    """Denies by default: before the second factor only views pass that are open to all.

    A view without a guard is denied to everybody. The API authenticates by bearer token and never
    looks at a session; the Django admin asks ``PortalAdminSite.has_permission``.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: View,
        args: Sequence[object],  # noqa: ARG002  Django's signature
        kwargs: Mapping[str, object],  # noqa: ARG002
    ) -> HttpResponseBase | None:
        """Return None where the view may run, else the way to prove oneself."""
        guard = guard_of(view)
        if hasattr(view, "cls") or (guard is not None and guard.open_reason):
            return None  # Django REST framework, or open to all
        if not principal_of(request).is_authenticated:
            return _way_in(request)
        if request.session.get(assurance.MUST_KEY):
            return _only_recovery(request)
        return None if guard is not None or _is_admin(view) else _unguarded(request, view)


class OrganisationScopeMiddleware:
    """Runs each view of a signed-in person inside the scope of the chosen organisation.

    The scope is a transaction: what a view raises rolls it back. Templates that render late are
    rendered inside. A view that calls outside systems, or opens scopes itself, opts out by
    ``foundation.access.guards.without_scope``; the Django admin works for all organisations.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: View,
        args: Sequence[object],
        kwargs: Mapping[str, object],
    ) -> HttpResponseBase | None:
        """Return the view's answer, or None where it runs without scope."""
        organisation_id = principal_of(request).organisation_id
        if organisation_id is None or _is_scopeless(view):
            return None
        try:
            with organisation_scope(organisation_id):
                response = view(request, *args, **kwargs)
                render = getattr(response, "render", None)
                return cast("HttpResponseBase", render()) if callable(render) else response
        except DomainError as error:
            return errors.refusal(request, error)
        except AWAY:
            logger.exception("accounts.database_away")
            return errors.refusal(request, Unavailable())


def _why_over(request: HttpRequest, user: User) -> SessionEnd | None:
    if user.is_frozen:
        return SessionEnd.ACCESS_ENDED
    if request.session.get(sessions.AGENT_KEY) != sessions.agent_digest(request):
        return SessionEnd.OTHER_BROWSER
    idle, absolute = (STAFF_IDLE, STAFF_ABSOLUTE) if user.is_staff else (IDLE, ABSOLUTE)
    if _age(request, sessions.STARTED_KEY) > absolute.total_seconds():
        return SessionEnd.ABSOLUTE
    if _age(request, sessions.SEEN_KEY) > idle.total_seconds():
        return SessionEnd.IDLE
    return None


def _age(request: HttpRequest, key: str) -> float:
    """Return the seconds since a moment of the session; one that is missing is very old."""
    return clock.now().timestamp() - float(request.session.get(key, 0))


def _follow_network(request: HttpRequest) -> None:
    """Ask for a new proof before sensitive acts once the network has changed."""
    net = client_ip(request).net
    if request.session.get(sessions.NET_KEY) != net:
        request.session[sessions.NET_KEY] = net
        request.session.pop(assurance.PROVED_AT_KEY, None)


def _way_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated and assurance.ENROLMENT_KEY in request.session:
        return HttpResponseRedirect(reverse("enrolment_authenticator"))
    return redirect_to_login(request.get_full_path(), reverse("account_login"))


def _only_recovery(request: HttpRequest) -> HttpResponse | None:
    match = request.resolver_match
    if match is not None and match.view_name in WHILE_RECOVERY_MISSING:
        return None
    return HttpResponseRedirect(reverse("enrolment_recovery"))


def _unguarded(request: HttpRequest, view: View) -> HttpResponse:
    logger.error("accounts.view_without_guard", extra={"view": repr(view)})
    return errors.refusal(request, Denied())


def _is_admin(view: View) -> bool:
    return hasattr(view, "admin_site") or hasattr(view, "model_admin")


def _is_scopeless(view: View) -> bool:
    return bool(getattr(view, "without_scope", False)) or _is_admin(view)
