"""The main job: a partner's program keeps bank details, its people see them, nobody else does."""

from uuid import uuid4

import pytest
from django.test import Client

from integrations.partners.types import Environment
from tests.factories import accounts, partners
from tests.proofs import Tried

PATH = "/api/v1/records"
FIRST = "DE89370400440532013000"
SECOND = "GB82WEST12345698765432"


@pytest.mark.proof("partners: bank details by API are seen by the partner's key user alone")
def test_bank_details_by_api_are_seen_by_the_key_user_of_the_partner_alone(tried: Tried) -> None:
    key = partners.key()
    partner = partners.live(key)
    kim = accounts.browser("key_user", of=partner.organisation)
    other = partners.live(partners.key(), email="dev@auster.example")
    mallory = accounts.browser("key_user", of=other.organisation)
    headers = partners.bearer(partners.access_token(partner.client(), key))

    body = {"kind": "company", "values": {"legal_name": "Borealis GmbH", "iban": FIRST}}
    made = Client().post(
        PATH,
        body,
        content_type="application/json",
        headers={**headers, "Idempotency-Key": uuid4().hex},
    )
    assert made.status_code == 201, made.content
    record = f"{PATH}/{made.json()['id']}"
    assert Client().get(record, headers=headers).json()["values"]["iban"] == FIRST
    page = f"/records/{made.json()['id']}/"
    assert _shows(kim.get(page).content, FIRST)

    changed = Client().patch(
        record,
        {"values": {"iban": SECOND}},
        content_type="application/json",
        headers={**headers, "If-Match": made["ETag"]},
    )
    assert changed.status_code == 200, changed.content
    assert _shows(kim.get(page).content, SECOND)
    assert mallory.get(page).status_code == 404
    tried.case()


def test_a_sandbox_token_neither_sees_nor_touches_the_organisations_own_records() -> None:
    key = partners.key()
    partner = partners.live(key)
    live = partners.bearer(partners.access_token(partner.client(), key))
    sandbox_client = partner.client(Environment.SANDBOX)
    sandbox = partners.bearer(partners.access_token(sandbox_client, key))
    made = Client().post(
        PATH,
        {"kind": "company", "values": {"legal_name": "Borealis GmbH"}},
        content_type="application/json",
        headers={**live, "Idempotency-Key": uuid4().hex},
    )
    record = f"{PATH}/{made.json()['id']}"

    read = Client().get(record, headers=sandbox)
    patch = Client().patch(
        record,
        {"values": {"legal_name": "Other"}},
        content_type="application/json",
        headers={**sandbox, "If-Match": made["ETag"]},
    )

    assert {read.status_code, patch.status_code} == {404}
    assert Client().get(PATH, headers=sandbox).json()["data"] == []


def _shows(content: bytes, iban: str) -> bool:
    return iban in content.decode().replace(" ", "").replace("\xa0", "")
