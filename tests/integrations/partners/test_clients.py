"""Secrets of clients: made once, two at a time, never again to be seen."""

import pytest

from foundation.identifiers import uuid7
from integrations.partners import queries
from integrations.partners.errors import ClientNotUsable, KeyClient, TooManySecrets
from integrations.partners.models import ClientSecret
from integrations.partners.services import clients
from tests.factories import partners


def test_a_secret_is_128_characters_and_only_its_digest_is_stored() -> None:
    partner = partners.live()

    secret = partners.secret_of(partner.client(), partner.person)

    assert len(secret) == 128
    stored = ClientSecret.objects.get(client=partner.client())
    assert stored.hash == ClientSecret.digest(secret)
    assert stored.created_by_id == partner.person.id


def test_one_form_makes_one_secret_however_often_it_is_sent() -> None:
    partner = partners.live()
    form_id = uuid7()

    first = clients.make_secret(partner.client().pk, form_id=form_id, principal=partner.person)
    second = clients.make_secret(partner.client().pk, form_id=form_id, principal=partner.person)

    assert first is not None
    assert second is None
    assert partner.client().secrets.count() == 1


def test_a_new_secret_ends_the_older_one_within_a_week_and_a_third_is_refused() -> None:
    partner = partners.live()
    client = partner.client()
    first = partners.secret_of(client, partner.person)
    partners.secret_of(client, partner.person)

    older = ClientSecret.objects.get(hash=ClientSecret.digest(first))
    assert (older.expires_at - older.created_at).days <= 7
    assert queries.live_secrets_of(client).count() == 2
    with pytest.raises(TooManySecrets):
        partners.secret_of(client, partner.person)


def test_a_client_with_its_own_key_has_no_secret() -> None:
    partner = partners.live(partners.key())

    with pytest.raises(KeyClient):
        partners.secret_of(partner.client(), partner.person)


def test_a_revoked_client_gets_no_secret_and_keeps_none() -> None:
    partner = partners.live()
    partners.secret_of(partner.client(), partner.person)

    clients.revoke(partner.client().pk, principal=partner.person)

    assert not queries.live_secrets_of(partner.client()).exists()
    with pytest.raises(ClientNotUsable):
        partners.secret_of(partner.client(), partner.person)
