"""Attacks on the token endpoint, each with the reason the journal keeps, beside what works."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from jwcrypto.jwk import JWK
from pytest_django import Settings

from foundation import clock
from integrations.partners import audit_events
from integrations.partners.models import ClientSecret, PartnerClient, UsedAssertion
from integrations.partners.services import approvals, clients
from integrations.partners.types import Environment
from tests.factories import partners

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

GRANT = {"grant_type": "client_credentials"}


@dataclass(frozen=True, slots=True)
class FromNow:
    """So many seconds from the moment a test runs."""

    seconds: int


def _post(form: Mapping[str, str], **headers: str) -> "Answer":
    return Client().post(partners.TOKEN_PATH, {**GRANT, **form}, headers=headers)


def _refused_because(answer: "Answer") -> object:
    """Return the reason in the journal of an ``invalid_client``."""
    assert answer.status_code == 401, answer.content
    assert answer.json()["error"] == "invalid_client"
    return partners.details_of(audit_events.INTERFACE_REFUSED)[-1]["code"]


def _basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


@pytest.fixture
def key() -> partners.Key:
    return partners.key()


@pytest.fixture
def partner(key: partners.Key) -> partners.Partner:
    return partners.live(key)


@pytest.fixture
def client(partner: partners.Partner) -> PartnerClient:
    return partner.client()


@pytest.fixture
def secret_partner() -> partners.Partner:
    return partners.live()


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_an_own_key_gets_a_token_for_ten_minutes(algorithm: str) -> None:
    key = partners.key(algorithm)
    client = partners.live(key).client()

    answer = _post(partners.proof(client.client_id, key))

    assert answer.status_code == 200, answer.content
    assert answer.json()["expires_in"] == 600
    assert answer.json()["token_type"] == "Bearer"
    assert set(answer.json()["scope"].split()) == set(partners.SCOPES)
    assert "no-store" in answer["Cache-Control"]
    assert partners.details_of(audit_events.ACCESS_GRANTED)[-1]["environment"] == "live"


@pytest.mark.parametrize("place", ["header", "body"])
def test_a_secret_gets_a_token(secret_partner: partners.Partner, place: str) -> None:
    client = secret_partner.client()
    secret = partners.secret_of(client, secret_partner.person)

    if place == "header":
        answer = _post({}, Authorization=_basic(client.client_id, secret))
    else:
        answer = _post({"client_id": client.client_id, "client_secret": secret})

    assert answer.status_code == 200, answer.content
    assert ClientSecret.objects.get(client=client).last_used_at is not None


def test_a_wrong_secret_is_refused(secret_partner: partners.Partner) -> None:
    client = secret_partner.client()
    secret = partners.secret_of(client, secret_partner.person)

    answer = _post({"client_id": client.client_id, "client_secret": secret[:-1] + "_"})

    assert _refused_because(answer) == "secret_wrong"


@pytest.mark.parametrize("secret", ["", "x" * 5000])
def test_an_empty_or_endless_secret_opens_nothing(
    secret_partner: partners.Partner, secret: str
) -> None:
    client = secret_partner.client()

    answer = _post({}, Authorization=_basic(client.client_id, secret))

    assert _refused_because(answer) == "secret_wrong"


def test_a_revoked_secret_is_refused_at_once_and_the_other_one_works(
    secret_partner: partners.Partner,
) -> None:
    client, person = secret_partner.client(), secret_partner.person
    first = partners.secret_of(client, person)
    second = partners.secret_of(client, person)
    row = ClientSecret.objects.get(hash=ClientSecret.digest(first))

    clients.revoke_secret(row.pk, client_id=client.pk, principal=person)

    refused = _post({"client_id": client.client_id, "client_secret": first})
    assert _refused_because(refused) == "secret_wrong"
    assert _post({"client_id": client.client_id, "client_secret": second}).status_code == 200


def test_a_client_with_a_key_never_gets_in_with_a_secret(client: PartnerClient) -> None:
    ClientSecret.objects.create(
        client=client,
        hash=ClientSecret.digest("planted"),
        form_id=client.pk,
        created_at=clock.now(),
        expires_at=client.valid_until,
    )

    answer = _post({"client_id": client.client_id, "client_secret": "planted"})

    assert _refused_because(answer) == "client_has_own_key"


def test_a_failed_assertion_does_not_fall_back_to_a_secret(
    secret_partner: partners.Partner,
) -> None:
    client = secret_partner.client()
    secret = partners.secret_of(client, secret_partner.person)
    both = {
        **partners.proof(client.client_id, partners.key()),
        "client_id": client.client_id,
        "client_secret": secret,
    }

    assert _refused_because(_post(both)) == "several_methods"


def test_a_scope_that_was_not_granted_is_refused(client: PartnerClient, key: partners.Key) -> None:
    client.allowed_scopes = ["records:read"]
    client.save()

    refused = _post({**partners.proof(client.client_id, key), "scope": "records:write"})
    granted = _post({**partners.proof(client.client_id, key), "scope": "records:read"})

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert granted.json()["scope"] == "records:read"


def test_no_client_gets_the_scope_of_the_registration(
    client: PartnerClient, key: partners.Key
) -> None:
    client.allowed_scopes = ["onboarding:write", "records:read"]
    client.save()

    named = _post({**partners.proof(client.client_id, key), "scope": "onboarding:write"})
    silent = _post(partners.proof(client.client_id, key))

    assert named.json()["error"] == "invalid_scope"
    assert silent.json()["scope"] == "records:read"


def _unsigned(client_id: str, _key: partners.Key) -> str:
    claims = partners.Claims(client_id).as_dict()
    parts = ({"alg": "none"}, claims)
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
    ]
    return ".".join([*encoded, ""])


def _by_public_key_as_secret(client_id: str, key: partners.Key) -> str:
    public = key.private.export_to_pem()
    shared = JWK(kty="oct", k=base64.urlsafe_b64encode(public).rstrip(b"=").decode())
    return partners.signed({"alg": "HS256"}, partners.Claims(client_id).as_dict(), shared)


@pytest.mark.parametrize("forge", [_unsigned, _by_public_key_as_secret])
def test_no_algorithm_but_the_listed_ones_counts(
    client: PartnerClient, key: partners.Key, forge: Callable[[str, partners.Key], str]
) -> None:
    form = partners.proof(client.client_id, key)

    answer = _post({**form, "client_assertion": forge(client.client_id, key)})

    assert _refused_because(answer) == "algorithm_refused"


def test_a_foreign_key_is_refused(client: PartnerClient, key: partners.Key) -> None:
    foreign = partners.key()
    same_name = partners.Key(foreign.private, key.kid, foreign.algorithm)

    for signing in (foreign, same_name):
        answer = _post(partners.proof(client.client_id, signing))
        assert _refused_because(answer) == "signature_wrong"


def test_a_key_named_inside_the_assertion_is_never_used(client: PartnerClient) -> None:
    foreign = partners.key()
    header = {"alg": "ES256", "jwk": foreign.public}
    forged = partners.signed(header, partners.Claims(client.client_id).as_dict(), foreign.private)
    form = partners.proof(client.client_id, foreign)

    answer = _post({**form, "client_assertion": forged})

    assert _refused_because(answer) == "signature_wrong"


def test_an_assertion_opens_the_door_once(client: PartnerClient, key: partners.Key) -> None:
    form = partners.proof(client.client_id, key)

    first, second = _post(form), _post(form)

    assert first.status_code == 200, first.content
    assert _refused_because(second) == "assertion_replayed"
    assert UsedAssertion.objects.filter(client=client).count() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "https://elsewhere.example/oauth2/token"}, "audience_wrong"),
        ({"aud": ["https://elsewhere.example/oauth2/token"]}, "audience_wrong"),
        ({"aud": None}, "audience_wrong"),
        ({"exp": FromNow(86_400)}, "assertion_too_long"),
        ({"exp": FromNow(400)}, "assertion_too_long"),
        ({"exp": FromNow(-1)}, "assertion_expired"),
        ({"exp": None}, "assertion_expired"),
        ({"exp": "soon"}, "assertion_expired"),
        ({"exp": True}, "assertion_expired"),
        ({"exp": 1e308}, "assertion_expired"),
        ({"nbf": FromNow(200)}, "assertion_not_yet_valid"),
        ({"iat": FromNow(200)}, "assertion_not_yet_valid"),
        ({"jti": None}, "jti_missing"),
        ({"jti": ""}, "jti_missing"),
        ({"jti": "j" * 256}, "jti_missing"),
        ({"jti": 7}, "jti_missing"),
        ({"iss": "somebody"}, "issuer_not_subject"),
        ({"sub": "somebody", "iss": "somebody"}, "client_unknown"),
        ({"sub": "a\x00b", "iss": "a\x00b"}, "client_unknown"),
        ({"sub": None, "iss": None}, "issuer_not_subject"),
        ({"sub": 7, "iss": 7}, "issuer_not_subject"),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(
    client: PartnerClient, key: partners.Key, changes: dict[str, object], reason: str
) -> None:
    # Read now: a long session may stand between the collection of tests and this one.
    claims = {
        name: int(time.time()) + value.seconds if isinstance(value, FromNow) else value
        for name, value in changes.items()
    }

    answer = _post(partners.proof(client.client_id, key, **claims))

    assert _refused_because(answer) == reason


def test_an_assertion_of_one_client_is_none_of_another(
    client: PartnerClient, key: partners.Key
) -> None:
    form = {**partners.proof(client.client_id, key), "client_id": "another"}

    assert _refused_because(_post(form)) == "client_id_differs"


def test_the_same_key_does_not_make_the_sandbox_client_the_live_one(
    partner: partners.Partner, key: partners.Key
) -> None:
    sandbox = partner.client(Environment.SANDBOX)

    answer = _post(partners.proof(sandbox.client_id, key))

    assert answer.status_code == 200, answer.content
    assert partners.details_of(audit_events.ACCESS_GRANTED)[-1]["environment"] == "sandbox"


def _disable(client: PartnerClient) -> None:
    client.is_active = False
    client.save()


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


@pytest.mark.parametrize("stop", [_disable, _end, _revoke, _suspend, _suspend_organisation])
def test_a_stopped_client_gets_no_token(
    client: PartnerClient, key: partners.Key, stop: Callable[[PartnerClient], None]
) -> None:
    stop(client)

    answer = _post(partners.proof(client.client_id, key))

    assert _refused_because(answer) == "client_not_usable"


def test_an_address_outside_the_allow_list_is_refused(
    client: PartnerClient, key: partners.Key
) -> None:
    client.ip_allowlist = ["198.51.100.0/24"]
    client.save()
    refused = _post(partners.proof(client.client_id, key))
    client.ip_allowlist = ["198.51.100.0/24", "127.0.0.0/8"]
    client.save()
    granted = _post(partners.proof(client.client_id, key))

    assert _refused_because(refused) == "address_refused"
    assert granted.status_code == 200


def test_a_header_cannot_set_the_address(client: PartnerClient, key: partners.Key) -> None:
    client.ip_allowlist = ["198.51.100.0/24"]
    client.save()

    answer = _post(
        partners.proof(client.client_id, key),
        **{"X-Forwarded-For": "198.51.100.7", "Partner-Address": "198.51.100.7"},
    )

    assert _refused_because(answer) == "address_refused"


def test_five_failures_lock_the_client_and_its_net_out(secret_partner: partners.Partner) -> None:
    client = secret_partner.client()
    secret = partners.secret_of(client, secret_partner.person)
    wrong = {"client_id": client.client_id, "client_secret": "wrong"}

    statuses = [_post(wrong).status_code for _turn in range(5)]
    locked = _post({"client_id": client.client_id, "client_secret": secret})

    assert statuses == [401] * 5
    assert locked.status_code == 429
    assert int(locked["Retry-After"]) > 0
    assert locked.json()["error"] == "slow_down"


def _guess(client_id: str, **where: str) -> "Answer":
    form = {**GRANT, "client_id": client_id, "client_secret": "wrong"}
    return Client().post(partners.TOKEN_PATH, form, **where)  # type: ignore[arg-type]  # WSGI names


def test_a_net_that_guesses_over_many_clients_has_to_wait(
    client: PartnerClient, key: partners.Key, settings: Settings
) -> None:
    settings.OAUTH_NET_FAILURES, settings.OAUTH_NET_WINDOW_SECONDS = 3, 60

    guesses = [
        _guess(f"client-{turn}", REMOTE_ADDR=f"198.51.100.{turn}").status_code for turn in range(4)
    ]
    form = {**GRANT, **partners.proof(client.client_id, key)}
    inside = Client(REMOTE_ADDR="198.51.100.200").post(partners.TOKEN_PATH, form)
    outside = Client(REMOTE_ADDR="203.0.113.1").post(partners.TOKEN_PATH, form)

    assert guesses == [401, 401, 401, 429]
    assert (inside.status_code, inside.json()["error"]) == (429, "slow_down")
    assert 55 <= int(inside["Retry-After"]) <= 60
    assert outside.status_code == 200, outside.content


def test_the_failure_that_closes_a_net_is_in_the_journal_once(settings: Settings) -> None:
    settings.OAUTH_NET_FAILURES = 2

    for turn in range(5):
        _guess(f"client-{turn}")

    found = partners.details_of(audit_events.INTERFACE_REFUSED)
    assert [entry["code"] for entry in found] == ["client_unknown", "client_unknown", "net_limited"]


def test_the_net_is_closed_at_each_endpoint_that_takes_a_proof(settings: Settings) -> None:
    settings.OAUTH_NET_FAILURES = 1

    first = _guess("client-1")
    others = [
        Client().post(path, {"token": "x", "client_id": "client-2", "client_secret": "wrong"})
        for path in ("/oauth2/revoke", "/oauth2/introspect")
    ]

    assert first.status_code == 401
    assert [answer.status_code for answer in others] == [429, 429]


def test_who_proves_himself_uses_up_nothing_of_the_net(
    client: PartnerClient, key: partners.Key, settings: Settings
) -> None:
    settings.OAUTH_NET_FAILURES = 1

    for _turn in range(3):
        assert _post(partners.proof(client.client_id, key)).status_code == 200


def test_without_the_counter_nobody_may_guess(
    client: PartnerClient, key: partners.Key, settings: Settings
) -> None:
    settings.VALKEY_URL = "redis://127.0.0.1:1/0"

    answer = _post(partners.proof(client.client_id, key))

    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "password", "username": "a", "password": "b"},
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "refresh_token", "refresh_token": "x"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"},
        {"grant_type": ""},
        {"grant_type": "x" * 10_000},
    ],
)
def test_no_other_grant_is_served(
    client: PartnerClient, key: partners.Key, form: dict[str, str]
) -> None:
    answer = Client().post(partners.TOKEN_PATH, {**partners.proof(client.client_id, key), **form})

    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x00\xff\xfe", "application/x-www-form-urlencoded"),
        (b"grant_type=client_credentials&client_id=%00", "application/x-www-form-urlencoded"),
        (b"grant_type=client_credentials&scope=%FF%FE", "application/x-www-form-urlencoded"),
        (b"grant_type=client_credentials&client_id=%ED%A0%80", "application/x-www-form-urlencoded"),
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"{", "application/json"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"a=b&" * 2000, "application/x-www-form-urlencoded"),
        (b"client_id=" + b"x" * 1_000_000, "application/x-www-form-urlencoded"),
        (b"client_assertion=" + b"a." * 400_000, "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_cannot_be_read_is_an_oauth_error(body: bytes, content_type: str) -> None:
    answer = Client().post(partners.TOKEN_PATH, body, content_type=content_type)

    assert 400 <= answer.status_code < 500, answer.status_code
    assert set(answer.json()) <= {"error", "error_description"}


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer x", "Basic /w==", "Digest a=b"]
)
def test_a_header_that_cannot_be_read_is_an_invalid_client(header: str) -> None:
    answer = _post({}, Authorization=header)

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_parameters_in_the_address_are_refused(client: PartnerClient, key: partners.Key) -> None:
    form = {**GRANT, **partners.proof(client.client_id, key)}

    answer = Client().post(f"{partners.TOKEN_PATH}?client_secret=x", form)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_the_endpoint_takes_post_alone() -> None:
    assert Client().get(partners.TOKEN_PATH).status_code == 405


def test_a_token_is_revoked_by_its_own_client_alone(
    client: PartnerClient, key: partners.Key
) -> None:
    other_key = partners.key()
    other = partners.live(other_key, email="dev@auster.example").client()
    token = partners.access_token(client, key)
    form = {"token": token}

    foreign = Client().post(
        "/oauth2/revoke", {**form, **partners.proof(other.client_id, other_key)}
    )
    still = Client().post("/oauth2/introspect", {**form, **partners.proof(client.client_id, key)})
    own = Client().post("/oauth2/revoke", {**form, **partners.proof(client.client_id, key)})
    dead = Client().post("/oauth2/introspect", {**form, **partners.proof(client.client_id, key)})

    assert foreign.status_code == own.status_code == 200
    assert still.json()["active"] is True
    assert dead.json() == {"active": False}


def test_another_clients_token_looks_dead(client: PartnerClient, key: partners.Key) -> None:
    other_key = partners.key()
    other = partners.live(other_key, email="dev@auster.example").client()
    token = partners.access_token(client, key)

    answer = Client().post(
        "/oauth2/introspect", {"token": token, **partners.proof(other.client_id, other_key)}
    )

    assert answer.json() == {"active": False}


def test_nobody_introspects_or_revokes_without_proof() -> None:
    for path in ("/oauth2/introspect", "/oauth2/revoke"):
        answer = Client().post(path, {"token": "x"})
        assert answer.status_code == 401, path


def test_the_metadata_names_what_is_mounted() -> None:
    found = Client().get("/.well-known/oauth-authorization-server").json()

    assert found["token_endpoint"].endswith(partners.TOKEN_PATH)
    assert found["grant_types_supported"] == ["client_credentials"]
    assert found["token_endpoint_auth_signing_alg_values_supported"] == ["ES256", "PS256", "RS256"]
    assert "onboarding:write" not in found["scopes_supported"]


def test_neither_secret_nor_token_is_stored_in_clear(secret_partner: partners.Partner) -> None:
    client = secret_partner.client()
    secret = partners.secret_of(client, secret_partner.person)
    token = _post({"client_id": client.client_id, "client_secret": secret}).json()["access_token"]

    rows = [
        *ClientSecret.objects.values(),
        *PartnerClient.objects.values(),
        *client.accesstoken_set.values(),
    ]

    assert secret not in str(rows)
    assert token not in str(rows)
