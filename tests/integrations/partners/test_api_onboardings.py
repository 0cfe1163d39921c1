"""The onboarding by REST, from the first call to the token, and what it refuses."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from foundation import clock
from integrations.partners import agreements
from integrations.partners.models import Onboarding
from integrations.partners.services import approvals, onboardings
from tests.factories import partners
from tests.proofs import Tried

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

PATH = "/api/v1/onboardings"


def _start(body: object, *, key: str = "", net: str = "192.0.2.9") -> "Answer":
    return Client(REMOTE_ADDR=net).post(
        PATH,
        body if isinstance(body, bytes) else json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key or uuid4().hex},
    )


def _read(onboarding_id: object, token: str) -> "Answer":
    return Client().get(f"{PATH}/{onboarding_id}", headers=partners.bearer(token))


def _describe(
    onboarding_id: object, token: str, body: object, *, etag: str | None = None
) -> "Answer":
    found = etag if etag is not None else _read(onboarding_id, token).headers.get("ETag", '"x"')
    return Client().patch(
        f"{PATH}/{onboarding_id}",
        body if isinstance(body, bytes) else json.dumps(body),
        content_type="application/json",
        headers={**partners.bearer(token), **({"If-Match": found} if found else {})},
    )


def _ask(onboarding_id: object, token: str, key: str = "") -> "Answer":
    return Client().post(
        f"{PATH}/{onboarding_id}/approval-requests",
        "{}",
        content_type="application/json",
        headers={**partners.bearer(token), "Idempotency-Key": key or uuid4().hex},
    )


def _body(key: partners.Key) -> dict[str, object]:
    return {
        "organisation_name": "Borealis",
        "contact_name": "Paula Partner",
        "purpose": "Keeps supplier data current",
        "wanted_scopes": ["records:read", "records:write"],
        "jwks": partners.key_set(key),
    }


@pytest.mark.proof("partners: from the first call to a token by REST, with one's own public key")
def test_a_partner_comes_in_by_rest_and_never_sees_a_secret(tried: Tried) -> None:
    key = partners.key()
    begun = _start({"email": partners.EMAIL})
    onboarding_id, token = begun.json()["id"], begun.json()["registration_token"]
    assert begun.status_code == 201, begun.content
    assert begun.json()["state"] == "started"

    link = partners.link_of(Onboarding.objects.get(pk=onboarding_id))
    browser = Client()
    assert browser.get(f"/partners/confirm/{link}/").status_code == 200
    assert _read(onboarding_id, token).json()["state"] == "started"
    assert browser.post(f"/partners/confirm/{link}/").status_code == 200
    assert _read(onboarding_id, token).json()["state"] == "address_confirmed"

    described = _describe(onboarding_id, token, _body(key))
    assert described.status_code == 200, described.content
    assert described.json()["state"] == "domain_proved"
    assert described.json()["next"]["url"].endswith("/partners/terms/")

    _accept(onboarding_id)
    assert _read(onboarding_id, token).json()["state"] == "sandbox"

    assert _ask(onboarding_id, token).status_code == 201
    approvals.approve(onboarding_id, reason="All there", principal=partners.staff())
    seen = _read(onboarding_id, token).json()
    assert seen["state"] == "live"
    live = next(item for item in seen["clients"] if item["environment"] == "live")

    form = {"grant_type": "client_credentials", **partners.proof(live["client_id"], key)}
    answer = Client().post(partners.TOKEN_PATH, form)
    assert answer.status_code == 200, answer.content
    assert "secret" not in json.dumps(seen).replace("client_secret", "")
    tried.case()


def _accept(onboarding_id: str) -> None:
    onboarding = Onboarding.objects.get(pk=onboarding_id)
    assert onboarding.organisation_id is not None
    user = User.objects.create_user(partners.EMAIL)
    onboardings.accept_terms(
        onboarding.pk,
        digests=agreements.digests(),
        principal=partners.person_of(onboarding.organisation_id, user),
        user_id=user.pk,
    )


def test_the_token_is_shown_once_even_to_a_repeated_request() -> None:
    first = _start({"email": partners.EMAIL}, key="one")
    again = _start({"email": partners.EMAIL}, key="one")
    other = _start({"email": "someone@borealis.example"}, key="one")

    assert "registration_token" in first.json()
    assert again.json() == {"id": first.json()["id"], "state": "started"}
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_key_reused"


def test_a_start_without_idempotency_key_is_refused() -> None:
    answer = Client().post(PATH, {"email": partners.EMAIL}, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency_key_missing"


def test_a_net_that_starts_too_often_waits_and_another_one_does_not() -> None:
    answers = [_start({"email": f"d{turn}@borealis.example"}) for turn in range(21)]

    assert {answer.status_code for answer in answers[:20]} == {201}
    assert answers[20].status_code == 429
    assert int(answers[20]["Retry-After"]) > 0
    assert _start({"email": partners.EMAIL}, net="198.51.100.9").status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"email": "no address"}, "invalid"),
        ({"email": "a" * 1000 + "@borealis.example"}, "invalid"),
        ({"email": partners.EMAIL, "language": "xx"}, "invalid"),
        ({"email": partners.EMAIL, "admin": True}, "invalid"),
        ({"email": ["a@b.example"]}, "invalid"),
        ({"email": None}, "invalid"),
        ([], "malformed_json"),
        (b"{", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b'{"email": "a\\u0000@borealis.example"}', "malformed_json"),
        (b'{"email": "a@b.example", "email": "c@d.example"}', "malformed_json"),
        (b"[" * 30 + b"]" * 30, "malformed_json"),
        (b'{"email": "' + b"a" * 1_048_576 + b'@b.example"}', "body_too_large"),
    ],
)
def test_a_body_that_is_not_right_is_a_problem_and_starts_nothing(body: object, code: str) -> None:
    answer = _start(body)

    assert 400 <= answer.status_code < 500
    assert answer.json()["code"] == code, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert not Onboarding.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"organisation_name": "x" * 1_000_000}, "/organisation_name"),
        ({"organisation_name": ""}, "/organisation_name"),
        ({"organisation_name": "   "}, "/organisation_name"),
        ({"contact_name": "x" * 201}, "/contact_name"),
        ({"purpose": "x" * 501}, "/purpose"),
        ({"wanted_scopes": []}, "/wanted_scopes"),
        ({"wanted_scopes": ["records:read"] * 33}, "/wanted_scopes"),
        ({"wanted_scopes": ["all"]}, "/wanted_scopes/0"),
        ({"jwks": "text"}, "/jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}, "/jwks/keys/0/k"),
        ({"state": "live"}, "/state"),
        ({"organisation": "x"}, "/organisation"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_stored(
    changes: Mapping[str, object], pointer: str
) -> None:
    onboarding, token = partners.confirmed()

    answer = _describe(onboarding.pk, token, {**_body(partners.key()), **changes})

    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert Onboarding.objects.get(pk=onboarding.pk).state == "address_confirmed"
    assert Onboarding.objects.get(pk=onboarding.pk).organisation_name == ""


def test_a_nul_in_a_name_is_refused() -> None:
    onboarding, token = partners.confirmed()

    answer = _describe(onboarding.pk, token, b'{"organisation_name": "a\\u0000b"}')

    assert answer.json()["code"] == "malformed_json"
    assert answer.json()["errors"][0]["pointer"] == "/organisation_name"


def test_a_change_from_an_old_version_or_none_is_refused() -> None:
    onboarding, token = partners.confirmed()
    etag = _read(onboarding.pk, token)["ETag"]
    assert _describe(onboarding.pk, token, {"purpose": "One"}, etag=etag).status_code == 200

    stale = _describe(onboarding.pk, token, {"purpose": "Two"}, etag=etag)
    without = _describe(onboarding.pk, token, {"purpose": "Two"}, etag="")

    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert (without.status_code, without.json()["code"]) == (428, "precondition_required")


def test_a_step_out_of_order_names_the_state() -> None:
    onboarding, token = partners.started()

    early = _describe(onboarding.pk, token, {"purpose": "x"})
    ask = _ask(onboarding.pk, token)

    assert (early.status_code, early.json()["code"]) == (409, "address_not_confirmed")
    assert (ask.status_code, ask.json()["code"]) == (409, "onboarding_state")


def test_another_onboarding_looks_like_none_by_every_verb() -> None:
    onboarding, _token = partners.started()
    _other, foreign = partners.started("dev@auster.example")

    for wanted in (onboarding.pk, uuid4()):
        read = _read(wanted, foreign)
        patch = _describe(wanted, foreign, {"purpose": "x"}, etag='"x"')
        ask = _ask(wanted, foreign)
        for answer in (read, patch, ask):
            assert answer.status_code == 404, answer.content
            assert answer.json()["code"] == "not_found"
            assert "auster" not in answer.content.decode()


def test_no_other_verb_exists() -> None:
    onboarding, token = partners.started()

    for verb in ("put", "delete", "post"):
        answer = getattr(Client(), verb)(
            f"{PATH}/{onboarding.pk}",
            headers={**partners.bearer(token), "If-Match": '"x"'},
        )
        assert answer.status_code == 405


@pytest.mark.parametrize("token", ["", "x", "ghr_", "ghr_" + "x" * 43, "a b", "é", "x" * 5000])
def test_a_wrong_registration_token_opens_nothing(token: str) -> None:
    onboarding, _token = partners.started()

    answer = Client().get(
        f"{PATH}/{onboarding.pk}",
        headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")},
    )

    assert answer.status_code == 401
    assert answer.json()["code"] in {"token_invalid", "not_authenticated"}


def test_a_registration_token_ends_after_its_week() -> None:
    onboarding, token = partners.started()
    assert _read(onboarding.pk, token).status_code == 200
    Onboarding.objects.update(registration_expires_at=clock.now())

    assert _read(onboarding.pk, token).status_code == 401


def test_a_registration_token_is_no_access_token_and_the_other_way_round() -> None:
    key = partners.key()
    partner = partners.live(key)
    access = partners.access_token(partner.client(), key)
    _onboarding, registration = partners.started("dev@auster.example")

    assert _read(partner.onboarding.pk, access).status_code == 401
    answer = Client().get("/api/v1/clients", headers=partners.bearer(registration))
    assert answer.status_code == 401


def test_a_link_from_a_mail_shows_the_same_page_whatever_is_wrong_with_it() -> None:
    onboarding, _token = partners.started()
    link = partners.link_of(onboarding)
    Client().post(f"/partners/confirm/{link}/")

    used = Client().get(f"/partners/confirm/{link}/")
    unknown = Client().get("/partners/confirm/nonsense/")
    posted = Client().post(f"/partners/confirm/{link}/")

    assert {used.status_code, unknown.status_code, posted.status_code} == {404}
