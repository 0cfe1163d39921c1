"""Bearer tokens of partner clients and of registrations (identity.md 8)."""

from typing import Final

from django.utils.translation import gettext as _
from rest_framework.request import Request

from foundation.errors import Invalid
from foundation.net import client_ip
from foundation.principals import Principal
from foundation.rest.authentication import BearerAuthentication
from integrations.partners import queries, tokens
from integrations.partners.addresses import admits
from integrations.partners.oauth import principal_of_client
from integrations.partners.services import clients
from integrations.partners.services.onboardings import registration_principal

QUERY_NAMES: Final = ("access_token", "token", "client_secret", "client_assertion")


class TokenInQuery(Invalid):
    """A token in the address, where logs and histories keep it (RFC 9700, 4.3.2)."""

    code = "token_in_query"


class HeaderOnly(BearerAuthentication):
    """Refuses a token anywhere but in the header."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        """Return principal and token.

        Raises:
            TokenInQuery: there is one in the address. It is known to others now.
        """
        if any(name in request.query_params for name in QUERY_NAMES):
            raise TokenInQuery(
                _("A token never belongs into the address. Send it in the Authorization header.")
            )
        return super().authenticate(request)


class PartnerAuth(HeaderOnly):
    """Access tokens of partner clients; the client is judged anew at each request."""

    def principal_of_token(self, token: str, request: Request) -> Principal | None:
        """Return the client's principal, or None where the token opens nothing any more."""
        found = tokens.granted_by(token)
        if found is None or not found.client.is_usable(request):
            return None
        client = found.client
        address = client_ip(request._request)  # noqa: SLF001  DRF's name for Django's request
        if not admits(client.ip_allowlist, address.address):
            return None
        clients.note_use(client, net=address.net)
        return principal_of_client(client, found.scopes & frozenset(client.allowed_scopes))


class RegistrationAuth(HeaderOnly):
    """Registration tokens: they open their own onboarding, for seven days."""

    www_authenticate_realm = "onboarding"

    def principal_of_token(self, token: str, request: Request) -> Principal | None:  # noqa: ARG002
        """Return the principal of the onboarding that the token belongs to."""
        onboarding = queries.onboarding_of_token(token)
        return None if onboarding is None else registration_principal(onboarding)
