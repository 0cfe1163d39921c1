"""Access tokens at the API: judged anew at each request."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.test import Client
from oauth2_provider.models import AccessToken
from pytest_django import Settings

from foundation import clock
from integrations.partners.models import PartnerClient
from integrations.partners.services import approvals, clients
from integrations.partners.types import Environment
from tests.factories import partners

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

PATH = "/api/v1/clients"


def _get(path: str = PATH, **headers: str) -> "Answer":
    return Client().get(path, headers=headers)


@pytest.fixture
def key() -> partners.Key:
    return partners.key()


@pytest.fixture
def client(key: partners.Key) -> PartnerClient:
    return partners.live(key).client()


@pytest.fixture
def token(client: PartnerClient, key: partners.Key) -> str:
    return partners.access_token(client, key)


def test_a_token_opens_the_api_and_its_use_is_noted(client: PartnerClient, token: str) -> None:
    answer = _get(**partners.bearer(token))

    assert answer.status_code == 200, answer.content
    client.refresh_from_db()
    assert client.last_used_at is not None
    assert client.last_used_net == "127.0.0.0/24"


def test_each_request_is_under_the_plan_of_its_own_client(
    client: PartnerClient, token: str, settings: Settings
) -> None:
    settings.API_PLANS = {"standard": (600, 60), "open": (60, 60), "wide": (900, 60)}
    other_key = partners.key()
    other = partners.live(other_key, email="dev@auster.example").client()
    PartnerClient.objects.filter(pk=client.pk).update(plan="wide")
    tokens = (token, partners.access_token(other, other_key), token)

    answers = [_get(**partners.bearer(value)) for value in tokens]
    stranger = Client().post("/api/v1/onboardings", {}, content_type="application/json")

    policies = [answer["RateLimit-Policy"] for answer in answers]
    assert policies == ['"wide";q=900;w=60', '"standard";q=600;w=60', '"wide";q=900;w=60']
    assert stranger["RateLimit-Policy"] == '"open";q=60;w=60'


def test_a_token_in_the_address_is_refused_even_beside_a_right_header(token: str) -> None:
    alone = _get(f"{PATH}?access_token={token}")
    beside = _get(f"{PATH}?access_token={token}", **partners.bearer(token))

    for answer in (alone, beside):
        assert answer.status_code == 400
        assert answer.json()["code"] == "token_in_query"
        assert token not in answer.content.decode()


def test_a_request_without_token_is_asked_for_one() -> None:
    answer = _get()

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scheme", ["Basic", "Token", "bearer\t", "Bearer Bearer"])
def test_no_scheme_but_bearer_counts(token: str, scheme: str) -> None:
    assert _get(Authorization=f"{scheme} {token}").status_code == 401


def test_a_token_without_the_scope_is_told_which_one(
    client: PartnerClient, key: partners.Key
) -> None:
    narrow = partners.access_token(client, key, scope="records:read")

    answer = _get(**partners.bearer(narrow))

    assert answer.status_code == 403
    assert answer.json()["code"] == "scope_missing"
    assert "clients:read" in answer.json()["detail"]


def test_a_scope_taken_from_the_client_is_gone_from_its_tokens(
    client: PartnerClient, token: str
) -> None:
    client.allowed_scopes = ["records:read"]
    client.save()

    assert _get(**partners.bearer(token)).json()["code"] == "scope_missing"


def _disable(client: PartnerClient) -> None:
    PartnerClient.objects.filter(pk=client.pk).update(is_active=False)


def _end(client: PartnerClient) -> None:
    partners.ended(client)


def _revoke(client: PartnerClient) -> None:
    clients.revoke(client.pk, principal=partners.staff())


def _suspend(client: PartnerClient) -> None:
    assert client.onboarding_id is not None
    approvals.suspend(client.onboarding_id, reason="Odd", principal=partners.staff())


def _suspend_organisation(client: PartnerClient) -> None:
    client.organisation.status = "suspended"
    client.organisation.save()


def _expire(_client: PartnerClient) -> None:
    AccessToken.objects.update(expires=clock.now() - timedelta(seconds=1))


def _leave_net(client: PartnerClient) -> None:
    PartnerClient.objects.filter(pk=client.pk).update(ip_allowlist=["198.51.100.0/24"])


@pytest.mark.parametrize(
    "stop", [_disable, _end, _revoke, _suspend, _suspend_organisation, _expire, _leave_net]
)
def test_a_stop_acts_at_the_next_request(
    client: PartnerClient, token: str, stop: Callable[[PartnerClient], None]
) -> None:
    assert _get(**partners.bearer(token)).status_code == 200

    stop(client)

    answer = _get(**partners.bearer(token))
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"


def test_a_client_sees_the_clients_of_where_it_acts_alone(
    client: PartnerClient, token: str, key: partners.Key
) -> None:
    assert client.onboarding is not None
    sandbox = client.onboarding.clients.get(environment=Environment.SANDBOX)
    in_sandbox = partners.access_token(sandbox, key)
    partners.live(partners.key(), email="dev@auster.example")

    seen = _get(**partners.bearer(in_sandbox)).json()["data"]

    assert [item["client_id"] for item in seen] == [sandbox.client_id]
    assert [item["environment"] for item in _get(**partners.bearer(token)).json()["data"]] == [
        "live"
    ]


def test_another_organisations_client_looks_like_none_by_every_verb(token: str) -> None:
    foreign = partners.live(partners.key(), email="dev@auster.example").client()
    headers = {**partners.bearer(token), "If-Match": '"x"'}

    for wanted in (foreign.pk, uuid4()):
        path = f"{PATH}/{wanted}"
        read = Client().get(path, headers=headers)
        patch = Client().patch(path, {"jwks": {}}, content_type="application/json", headers=headers)
        assert {read.status_code, patch.status_code} == {404}
        assert read.json()["code"] == patch.json()["code"] == "not_found"


def test_a_client_replaces_its_keys_and_the_old_one_is_dead(
    client: PartnerClient, token: str, key: partners.Key
) -> None:
    path, new = f"{PATH}/{client.pk}", partners.key()
    etag = _get(path, **partners.bearer(token))["ETag"]

    answer = Client().patch(
        path,
        {"jwks": partners.key_set(new)},
        content_type="application/json",
        headers={**partners.bearer(token), "If-Match": etag},
    )

    assert answer.status_code == 200, answer.content
    assert answer.json()["key_ids"] == [new.kid]
    assert partners.access_token(client, new)
    form = {"grant_type": "client_credentials", **partners.proof(client.client_id, key)}
    assert Client().post(partners.TOKEN_PATH, form).status_code == 401


def test_a_private_key_sent_by_mistake_is_refused(client: PartnerClient, token: str) -> None:
    path = f"{PATH}/{client.pk}"
    etag = _get(path, **partners.bearer(token))["ETag"]
    private = partners.key().private.export_private(as_dict=True)

    answer = Client().patch(
        path,
        {"jwks": {"keys": [private]}},
        content_type="application/json",
        headers={**partners.bearer(token), "If-Match": etag},
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "private_member"
    assert str(private["d"]) not in answer.content.decode()
