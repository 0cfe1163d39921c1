"""Read a bearer token; which token means whom is said by a subclass on an upper floor."""

import re
from abc import abstractmethod

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from foundation.principals import Principal

_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]{1,4096}=*)")


class BearerAuthentication(BaseAuthentication):
    """Takes a token from the ``Authorization`` header only, never from query or form."""

    www_authenticate_realm = "api"

    @abstractmethod
    def principal_of_token(self, token: str, request: Request) -> Principal | None:
        """Return whose token it is, or None if it opens nothing (any more)."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        """Return principal and token; None where no token was sent.

        Raises:
            AuthenticationFailed: a token was sent and opens nothing; why is not told.
        """
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        match = _BEARER.fullmatch(header)
        principal = self.principal_of_token(match[1], request) if match else None
        if match is None or principal is None:
            raise AuthenticationFailed("The token is not valid.", code="token_invalid")
        return principal, match[1]

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        """Return the challenge of a 401."""
        return f'Bearer realm="{self.www_authenticate_realm}"'
