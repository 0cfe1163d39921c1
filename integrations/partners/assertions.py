"""Signed assertions by which a client proves who it is (RFC 7523, ``private_key_jwt``).

Checked in this order: shape, algorithm, whose key, signature, claims, first use. The algorithm
comes from a fixed list and must fit the registered key, so neither ``none`` nor an HMAC over the
public key gets in. Keys named inside the assertion are never used.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from django.conf import settings
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from foundation import clock
from integrations.partners import key_sets
from integrations.partners.digests import digest_of
from integrations.partners.errors import AuthenticationRefused
from integrations.partners.models import PartnerClient, UsedAssertion

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105  an address
MAX_CHARACTERS: Final = 8192
MAX_LIFE_SECONDS: Final = 330
CLOCK_SKEW_SECONDS: Final = 30
MAX_JTI_CHARACTERS: Final = 255

FindClient = Callable[[str], PartnerClient | None]


@dataclass(frozen=True, slots=True)
class _Parts:
    signed: JWS
    header: Mapping[str, object]
    claims: Mapping[str, object]


def token_url() -> str:
    """Return the address that assertions name as their audience."""
    return f"{settings.BASE_URL}{TOKEN_PATH}"


def client_of(assertion: str, *, find_client: FindClient) -> PartnerClient:
    """Return the client that an assertion proves, and use the assertion up.

    Args:
        assertion: compact JWS.
        find_client: gives the client of a client id, usable or not.

    Raises:
        AuthenticationRefused: its ``reason_code`` says why.
    """
    parts = _parts(assertion)
    client = _named_client(parts.claims, find_client)
    _check_signature(parts, client)
    expires_at = _check_claims(parts.claims)
    _use_up(client, cast("str", parts.claims["jti"]), expires_at)
    return client


def claimed_subject(assertion: str) -> str:
    """Return whose an assertion claims to be, unproved; empty where it cannot be read."""
    try:
        subject = _parts(assertion).claims.get("sub")
    except AuthenticationRefused:
        return ""
    return subject if isinstance(subject, str) else ""


def _parts(assertion: str) -> _Parts:
    if len(assertion) > MAX_CHARACTERS or assertion.count(".") != 2:  # noqa: PLR2004  compact JWS
        raise AuthenticationRefused(code="assertion_malformed")
    signed = JWS()
    try:
        signed.deserialize(assertion)
        header = signed.jose_header
        claims = json.loads(signed.objects["payload"])
    except (JWException, ValueError, TypeError, KeyError, RecursionError) as error:
        raise AuthenticationRefused(code="assertion_malformed") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise AuthenticationRefused(code="assertion_malformed")
    if header.get("alg") not in key_sets.ALGORITHMS or "crit" in header:
        raise AuthenticationRefused(code="algorithm_refused")
    return _Parts(signed=signed, header=header, claims=claims)


def _named_client(claims: Mapping[str, object], find_client: FindClient) -> PartnerClient:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or claims.get("iss") != subject:
        raise AuthenticationRefused(code="issuer_not_subject")
    client = find_client(subject)
    if client is None:
        raise AuthenticationRefused(code="client_unknown")
    if not client.has_own_key:
        raise AuthenticationRefused(code="client_without_key")
    return client


def _check_signature(parts: _Parts, client: PartnerClient) -> None:
    algorithm = cast("str", parts.header["alg"])
    kid = parts.header.get("kid")
    keys = cast("Sequence[Mapping[str, object]]", client.jwks["keys"])
    candidates = [
        key for key in keys if key_sets.fits(key, algorithm) and kid in {None, key["kid"]}
    ]
    parts.signed.allowed_algs = [algorithm]
    if not any(_verifies(parts.signed, key, algorithm) for key in candidates):
        raise AuthenticationRefused(code="signature_wrong")


def _verifies(signed: JWS, key: Mapping[str, object], algorithm: str) -> bool:
    try:
        signed.verify(JWK(**dict(key)), alg=algorithm)
    except (JWException, ValueError):
        return False
    return True


def _check_claims(claims: Mapping[str, object]) -> datetime:
    audience = claims.get("aud")
    if audience != token_url() and audience != [token_url()]:
        raise AuthenticationRefused(code="audience_wrong")
    now = clock.now()
    expires_at = _moment(claims.get("exp"))
    if expires_at is None or expires_at <= now:
        raise AuthenticationRefused(code="assertion_expired")
    if expires_at > now + timedelta(seconds=MAX_LIFE_SECONDS):
        raise AuthenticationRefused(code="assertion_too_long")
    for name in ("nbf", "iat"):
        start = _moment(claims.get(name, 0))
        if start is None or start > now + timedelta(seconds=CLOCK_SKEW_SECONDS):
            raise AuthenticationRefused(code="assertion_not_yet_valid")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_CHARACTERS:
        raise AuthenticationRefused(code="jti_missing")
    return expires_at


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    try:
        return datetime.fromtimestamp(value, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _use_up(client: PartnerClient, jti: str, expires_at: datetime) -> None:
    mark = UsedAssertion(client=client, jti_hash=digest_of(jti), expires_at=expires_at)
    UsedAssertion.objects.bulk_create([mark], ignore_conflicts=True)
    if not UsedAssertion.objects.filter(pk=mark.pk).exists():
        raise AuthenticationRefused(code="assertion_replayed")
