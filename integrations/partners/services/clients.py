"""Clients and their secrets: made, rotated, stopped."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from oauth2_provider.models import AccessToken, RefreshToken

from audit.services import record
from foundation import clock
from foundation.errors import Conflict
from foundation.principals import Principal
from integrations.partners import audit_events, key_sets, queries
from integrations.partners.errors import ClientNotUsable, KeyClient, TooManySecrets
from integrations.partners.models import ClientSecret, Onboarding, PartnerClient
from integrations.partners.types import Environment

CLIENT_DAYS: Final = 90
SECRET_CHARACTERS: Final = 128
LIVE_SECRETS: Final = 2
OVERLAP_DAYS: Final = 7
USE_NOTED_SECONDS: Final = 60

_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def create(
    onboarding: Onboarding, *, environment: Environment, principal: Principal
) -> PartnerClient:
    """Make the client of an environment, with the scopes and the key the partner described.

    It has no secret: the partner makes one on its own page, unless it brought a key.
    """
    is_live = environment == Environment.LIVE
    organisation, sandbox = onboarding.organisation, onboarding.sandbox_organisation
    if organisation is None or sandbox is None:
        raise Conflict(_("The organisation does not exist yet."))
    client: PartnerClient = PartnerClient.objects.create(
        name=f"{onboarding.organisation_name} ({environment.value})"[:255],
        client_type=PartnerClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=PartnerClient.GRANT_CLIENT_CREDENTIALS,
        organisation=organisation,
        acts_in=organisation if is_live else sandbox,
        onboarding=onboarding,
        environment=environment,
        valid_until=clock.now() + timedelta(days=CLIENT_DAYS),
        allowed_scopes=list(onboarding.wanted_scopes),
        jwks=onboarding.jwks,
        plan=organisation.plan,
        purpose=onboarding.purpose,
        owner_id=onboarding.contact_user_id,
    )
    record(
        audit_events.CLIENT_CREATED,
        principal=principal,
        target=client,
        details={
            "environment": environment.value,
            "scopes": client.allowed_scopes,
            "method": "key" if client.has_own_key else "shared",
        },
    )
    return client


@transaction.atomic
def replace_keys(
    client_id: UUID, jwks: Mapping[str, object], *, principal: Principal
) -> PartnerClient:
    """Give a client a new key set; keys that are not in it open nothing from now on.

    Raises:
        KeysNotAccepted: the set is not accepted.
        ClientNotUsable: the client has ended.
    """
    client = _locked(client_id)
    _check_usable(client)
    client.jwks = key_sets.accepted(jwks)
    client.save(update_fields=["jwks", "updated"])
    _record_rotation(client, method="key", principal=principal)
    return client


@transaction.atomic
def make_secret(client_id: UUID, *, form_id: UUID, principal: Principal) -> str | None:
    """Make a secret, to be shown this once; an older one ends within seven days.

    The caller has asked for a step-up.

    Args:
        client_id: of the principal's organisation.
        form_id: of the form that was sent; sent twice, it makes one secret.
        principal: the person.

    Returns:
        The secret; None where this form has made one already.

    Raises:
        KeyClient: the client has its own key.
        TooManySecrets: two live already.
        ClientNotUsable: the client has ended.
    """
    client = _locked(client_id)
    if ClientSecret.objects.filter(form_id=form_id).exists():
        return None
    _check_usable(client)
    if client.has_own_key:
        raise KeyClient(_("This client proves itself with its own key and has no secret."))
    live = queries.live_secrets_of(client)
    if live.count() >= LIVE_SECRETS:
        raise TooManySecrets(_("Two secrets work already. Revoke one of them first."))
    now = clock.now()
    overlap_ends = now + timedelta(days=OVERLAP_DAYS)
    live.filter(expires_at__gt=overlap_ends).update(expires_at=overlap_ends)
    value = "".join(secrets.choice(_ALPHABET) for _place in range(SECRET_CHARACTERS))
    ClientSecret.objects.create(
        client=client,
        hash=ClientSecret.digest(value),
        form_id=form_id,
        created_at=now,
        created_by_id=principal.id,
        expires_at=client.valid_until,
    )
    _record_rotation(client, method="shared", principal=principal)
    return value


@transaction.atomic
def revoke_secret(secret_id: UUID, *, client_id: UUID, principal: Principal) -> None:
    """End one secret now; tokens got with it live at most ten minutes, so they end too."""
    client = _locked(client_id)
    ended = client.secrets.filter(pk=secret_id, revoked_at__isnull=True).update(
        revoked_at=clock.now()
    )
    if ended:
        _end_tokens(client)
        _record_revocation(client, what="secret", ended=ended, principal=principal)


@transaction.atomic
def revoke(client_id: UUID, *, principal: Principal) -> None:
    """End a client for good: its tokens and secrets are dead at the next request."""
    client = _locked(client_id)
    if client.revoked_at is not None:
        return
    client.revoked_at = clock.now()
    client.is_active = False
    client.save(update_fields=["revoked_at", "is_active", "updated"])
    client.secrets.filter(revoked_at__isnull=True).update(revoked_at=client.revoked_at)
    ended = _end_tokens(client)
    _record_revocation(client, what="client", ended=ended, principal=principal)


def stop_all(onboarding: Onboarding) -> None:
    """Disable all clients of a partner and end their tokens."""
    for client in onboarding.clients.select_for_update():
        client.is_active = False
        client.save(update_fields=["is_active", "updated"])
        _end_tokens(client)


def start_all(onboarding: Onboarding) -> None:
    """Enable the clients of a partner that were not revoked."""
    onboarding.clients.filter(revoked_at__isnull=True).update(is_active=True)


def end_tokens_of_user(user_id: UUID, reason: str) -> int:  # noqa: ARG001  the contract's signature
    """End all tokens a person's consent rests on (access ender).

    The rows stay until housekeeping or an erasure deletes and counts them.
    """
    now = clock.now()
    ended: int
    ended = AccessToken.objects.filter(user_id=user_id, expires__gt=now).update(expires=now)
    ended += RefreshToken.objects.filter(user_id=user_id, revoked__isnull=True).update(revoked=now)
    return ended


def note_use(client: PartnerClient, *, net: str) -> None:
    """Keep when and from where a client was last seen, at most once a minute."""
    now = clock.now()
    seen = client.last_used_at
    is_fresh = seen is not None and (now - seen).total_seconds() < USE_NOTED_SECONDS
    if is_fresh and client.last_used_net == net:
        return
    PartnerClient.objects.filter(pk=client.pk).update(last_used_at=now, last_used_net=net)


def _locked(client_id: UUID) -> PartnerClient:
    client: PartnerClient = PartnerClient.objects.select_for_update().get(pk=client_id)
    return client


def _check_usable(client: PartnerClient) -> None:
    if not client.is_usable(None):
        raise ClientNotUsable(_("This client has ended or is disabled."))


def _end_tokens(client: PartnerClient) -> int:
    ended: int
    ended, _counts = AccessToken.objects.filter(application=client).delete()
    return ended


def _record_rotation(client: PartnerClient, *, method: str, principal: Principal) -> None:
    record(
        audit_events.CLIENT_ROTATED,
        principal=principal,
        target=client,
        details={"method": method, "expires": client.valid_until},
    )


def _record_revocation(
    client: PartnerClient, *, what: str, ended: int, principal: Principal
) -> None:
    record(
        audit_events.CLIENT_REVOKED,
        principal=principal,
        target=client,
        details={"what": what, "ended": ended},
    )
