"""What django-oauth-toolkit asks us: who a client is and which scopes it may have (identity.md 8).

A client proves itself by exactly one method. Which one it has registered decides: with a key, a
secret is never looked at, and a failed assertion never falls back to one.
"""

import base64
import binascii
import logging
from dataclasses import dataclass
from typing import Final, Protocol, cast
from urllib.parse import unquote_plus

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes

from audit.services import identifier_digest, record
from foundation import clock
from foundation.principals import VISITOR, ActorType, Principal
from foundation.rest.scopes import scopes
from integrations.partners import assertions, audit_events, queries
from integrations.partners.addresses import admits
from integrations.partners.errors import AuthenticationRefused
from integrations.partners.models import ClientSecret, PartnerClient
from integrations.partners.services.onboardings import grantable_scopes

logger = logging.getLogger(__name__)

CLIENT_ADDRESS: Final = "PARTNER_ADDRESS"  # set by our view; no header can have this name
MAX_SECRET_CHARACTERS: Final = 512


class _Headers(Protocol):
    def get(self, key: str, default: object = None) -> object: ...


class OAuthRequest(Protocol):
    """The part of oauthlib's request that is read here."""

    headers: _Headers
    client: object
    client_id: str | None


@dataclass(frozen=True, slots=True)
class _Given:
    """What a request brings to prove who sends it."""

    assertion_type: str
    assertion: str
    basic: str
    client_id: str
    body_secret: str

    @property
    def methods(self) -> int:
        """How many methods are used at once."""
        has_assertion = bool(self.assertion or self.assertion_type)
        return sum((has_assertion, bool(self.basic), bool(self.body_secret)))


class ClientScopes(BaseScopes):
    """Scopes come from the registry, and each client has its own set of them."""

    def get_all_scopes(self) -> dict[str, str]:
        """Return every scope a client may be granted, with its label."""
        codes = grantable_scopes()
        return {scope.code: str(scope.label) for scope in scopes.all() if scope.code in codes}

    def get_available_scopes(
        self, application: PartnerClient | None = None, *_args: object, **_options: object
    ) -> list[str]:
        """Return the scopes of a client that still exist."""
        if application is None:
            return []
        return [code for code in application.allowed_scopes if code in grantable_scopes()]

    def get_default_scopes(
        self, application: PartnerClient | None = None, *_args: object, **_options: object
    ) -> list[str]:
        """Return what a token gets that asks for nothing: all the client has."""
        return self.get_available_scopes(application)


class Validator(OAuth2Validator):
    """Authenticates clients; the rest is the library's."""

    def authenticate_client(
        self, request: OAuthRequest, *_args: object, **_options: object
    ) -> bool:
        """Say whether the request proves a client, and write a refusal down with its reason."""
        given = _given(request)
        try:
            client = _proved(given)
            _check_usable(client, str(request.headers.get(CLIENT_ADDRESS, "")))
        except AuthenticationRefused as refusal:
            _record_refusal(given, refusal)
            return False
        request.client = client
        request.client_id = client.client_id
        return True

    def authenticate_client_id(self, *_args: object, **_options: object) -> bool:
        """Refuse: no client of ours acts without proof."""
        return False

    def client_authentication_required(self, *_args: object, **_options: object) -> bool:
        """Ask every client for its proof."""
        return True

    def _save_bearer_token(
        self, token: dict[str, object], request: OAuthRequest, *args: object, **options: object
    ) -> None:
        super()._save_bearer_token(token, request, *args, **options)  # type: ignore[no-untyped-call]
        client = cast("PartnerClient", request.client)
        record(
            audit_events.ACCESS_GRANTED,
            principal=principal_of_client(client, frozenset(str(token["scope"]).split())),
            target=client,
            details={
                "environment": str(client.environment),
                "scopes": sorted(str(token["scope"]).split()),
            },
        )


def principal_of_client(client: PartnerClient, granted: frozenset[str]) -> Principal:
    """Return the principal of a client that acts with some scopes."""
    return Principal(
        kind=ActorType.INTEGRATION,
        id=client.pk,
        organisation_id=client.acts_in_id,
        scopes=granted,
        label=client.name,
        credential_id=client.pk,
        plan=client.plan,
    )


def claimed_client_id(*, basic: str, client_id: str, assertion: str) -> str:
    """Return which client somebody claims to be, unproved; what the lock-out counts under."""
    if client_id:
        return client_id
    if assertion:
        return assertions.claimed_subject(assertion)
    try:
        return _basic(basic)[0]
    except AuthenticationRefused:
        return ""


def _given(request: OAuthRequest) -> _Given:
    header = str(request.headers.get("HTTP_AUTHORIZATION", "") or "")
    return _Given(
        assertion_type=_parameter(request, "client_assertion_type"),
        assertion=_parameter(request, "client_assertion"),
        basic=header,
        client_id=_parameter(request, "client_id"),
        body_secret=_parameter(request, "client_secret"),
    )


def _parameter(request: OAuthRequest, name: str) -> str:
    value = getattr(request, name, None)
    return value if isinstance(value, str) else ""


def _proved(given: _Given) -> PartnerClient:
    if given.methods == 0:
        raise AuthenticationRefused(code="no_proof")
    if given.methods > 1:
        raise AuthenticationRefused(code="several_methods")
    if given.assertion or given.assertion_type:
        return _proved_by_key(given)
    return _proved_by_secret(given)


def _proved_by_key(given: _Given) -> PartnerClient:
    if given.assertion_type != assertions.ASSERTION_TYPE:
        raise AuthenticationRefused(code="assertion_type_wrong")
    client = assertions.client_of(given.assertion, find_client=queries.client_by_client_id)
    if given.client_id and given.client_id != client.client_id:
        raise AuthenticationRefused(code="client_id_differs")
    return client


def _proved_by_secret(given: _Given) -> PartnerClient:
    client_id, secret = _basic(given.basic) if given.basic else (given.client_id, given.body_secret)
    if given.client_id and given.client_id != client_id:
        raise AuthenticationRefused(code="client_id_differs")
    client = queries.client_by_client_id(client_id)
    if client is None:
        raise AuthenticationRefused(code="client_unknown")
    if client.has_own_key:
        raise AuthenticationRefused(code="client_has_own_key")
    found = _matching(client, secret)
    if found is None:
        raise AuthenticationRefused(code="secret_wrong")
    ClientSecret.objects.filter(pk=found.pk).update(last_used_at=clock.now())
    return client


def _basic(header: str) -> tuple[str, str]:
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise AuthenticationRefused(code="no_proof")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise AuthenticationRefused(code="header_malformed") from error
    client_id, colon, secret = decoded.partition(":")
    if not colon:
        raise AuthenticationRefused(code="header_malformed")
    return unquote_plus(client_id), unquote_plus(secret)


def _matching(client: PartnerClient, secret: str) -> ClientSecret | None:
    if not secret or len(secret) > MAX_SECRET_CHARACTERS:
        return None
    matches = [item for item in queries.live_secrets_of(client) if item.matches(secret)]
    return matches[0] if matches else None


def _check_usable(client: PartnerClient, address: str) -> None:
    if not client.is_usable(None):
        raise AuthenticationRefused(code="client_not_usable")
    if not admits(client.ip_allowlist, address):
        raise AuthenticationRefused(code="address_refused")


def _record_refusal(given: _Given, refusal: AuthenticationRefused) -> None:
    named = claimed_client_id(
        basic=given.basic, client_id=given.client_id, assertion=given.assertion
    )
    logger.info("client refused", extra={"reason": refusal.reason_code})
    record(
        audit_events.INTERFACE_REFUSED,
        principal=VISITOR,
        outcome="denied",
        details={"code": refusal.reason_code, "named": identifier_digest(named)},
    )
