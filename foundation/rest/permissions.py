"""Ask each view for its scopes and each token for them."""

from typing import TYPE_CHECKING, cast

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from foundation.errors import Denied
from foundation.principals import Principal

if TYPE_CHECKING:
    # Only for the signature: rest_framework.views itself imports this module, by the settings.
    from rest_framework.views import APIView


class ScopeMissing(Denied):
    """The token lacks a scope; the answer names it."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(_("The token lacks the scope “%(scope)s”.") % {"scope": scope})
        self.scope = scope


class TokenHasScopes(BasePermission):
    """Lets a request pass whose token holds every scope the view names for its method."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return True, or raise what is missing.

        Raises:
            NotAuthenticated: nobody is signed in.
            ScopeMissing: the token lacks a scope.
        """
        if getattr(view, "open_reason", ""):
            return True
        principal = cast("Principal | None", request.user)
        if not isinstance(principal, Principal) or not principal.is_authenticated:
            raise NotAuthenticated
        for scope in scopes_of(view, request.method or ""):
            if not principal.has_scope(scope):
                raise ScopeMissing(scope)
        return True


def scopes_of(view: object, method: str) -> tuple[str, ...]:
    """Return the scopes a view asks for, the same for all methods or per method.

    A method that is not named asks for a scope that no token can hold.
    """
    required = getattr(view, "required_scopes", ())
    if isinstance(required, dict):
        asked = "GET" if method == "HEAD" else method
        return tuple(required.get(asked, ("(none)",)))
    return tuple(required)
