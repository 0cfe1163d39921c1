"""Guards: every view declares who may use it, and an architecture test finds those that do not."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from foundation.contracts.step_up import step_up_port
from foundation.errors import Denied
from foundation.principals import VISITOR, Principal

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Guard:
    """What a view asks for.

    Attributes:
        permission: code, or empty where being signed in (or nothing) is enough.
        open_reason: why everybody may come; only then nobody needs to be signed in.
        staff: whether only the operator's staff may come.
        step_up_seconds: age that the proof of a strong factor may have; 0 asks for none.
    """

    permission: str = ""
    open_reason: str = ""
    staff: bool = False
    step_up_seconds: int = 0


class PermissionMissing(Denied):
    """A signed-in person lacks a permission; the page names it and says whom to ask."""

    code = "permission_missing"

    def __init__(self, permission: str) -> None:
        super().__init__(_("You do not have the right to use this page."))
        self.permission = permission


class _Guarded(Protocol):
    guard: Guard


class _Scopeless(Protocol):
    without_scope: bool


def principal_of(request: HttpRequest) -> Principal:
    """Return who makes the request; a visitor where nobody is signed in."""
    return cast("Principal", getattr(request, "principal", VISITOR))


def guard_of(view: object) -> Guard | None:
    """Return the guard of a view function, a class-based view or a DRF view, if it has one."""
    direct = getattr(view, "guard", None)
    if isinstance(direct, Guard):
        return direct
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    for holder in (view_class, getattr(view_class, "dispatch", None)):
        found = getattr(holder, "guard", None)
        if isinstance(found, Guard):
            return found
    return None


def open_to_all(reason: str) -> Callable[[View[Arguments]], View[Arguments]]:
    """Let everybody use a view, for a reason that a reviewer reads."""
    return _guard(Guard(open_reason=reason))


def signed_in(view: View[Arguments]) -> View[Arguments]:
    """Let every signed-in person use a view."""
    return _guard(Guard())(view)


def requires(permission: str) -> Callable[[View[Arguments]], View[Arguments]]:
    """Let those use a view who hold a permission in their present organisation."""
    return _guard(Guard(permission=permission))


def staff_requires(permission: str) -> Callable[[View[Arguments]], View[Arguments]]:
    """Let those of the operator's staff use a view who hold a permission."""
    return _guard(Guard(permission=permission, staff=True))


def step_up(*, seconds: int = 300) -> Callable[[View[Arguments]], View[Arguments]]:
    """Ask for a recent proof of a strong factor before a sensitive act.

    Stands under ``signed_in`` or ``requires``, which it keeps. Never put a form with a secret
    behind it: the person is sent to another page first (identity.md 2, trap J).
    """

    def decorate(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def asked(
            request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs
        ) -> HttpResponseBase:
            port = step_up_port.implementation
            if not port.is_recent(request, seconds=seconds):
                return HttpResponseRedirect(port.challenge_url(request))
            return view(request, *args, **kwargs)

        return asked

    return decorate


def without_scope(view: View[Arguments]) -> View[Arguments]:
    """Run a view outside ``organisation_scope``, hence outside its transaction.

    For views that call outside systems or send mail, and for those that open scopes themselves.
    """
    cast("_Scopeless", view).without_scope = True
    return view


def check(request: HttpRequest, guard: Guard) -> HttpResponseBase | None:
    """Return None where the request may pass, else the way to the sign-in page.

    Raises:
        Denied: signed in, but without the right.
    """
    principal = principal_of(request)
    if guard.open_reason:
        return None
    if not principal.is_authenticated:
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    if guard.staff and not principal.is_staff:
        raise Denied(_("This page is for the staff of the operator."))
    if guard.permission and not principal.may(guard.permission):
        raise PermissionMissing(guard.permission)
    return None


def _guard(guard: Guard) -> Callable[[View[Arguments]], View[Arguments]]:
    def decorate(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def guarded(
            request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs
        ) -> HttpResponseBase:
            refusal = check(request, guard)
            return view(request, *args, **kwargs) if refusal is None else refusal

        cast("_Guarded", guarded).guard = guard
        return guarded

    return decorate
