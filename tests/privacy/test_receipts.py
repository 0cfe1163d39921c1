"""A receipt is found by its secret address and checked with its public key alone."""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from accounts.models import User
from encryption.services import drop_keys, public_key
from foundation.identifiers import uuid7
from privacy.models import ErasurePlan
from privacy.services import erasure, erasure_runs, receipts
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories.accounts import Browser
from tests.proofs import Tried


@pytest.fixture
def person() -> User:
    return people.member(people.organisation(), name="Nina Nowak")


def path_of(plan: ErasurePlan) -> str:
    return receipts.address_of(plan).removeprefix(settings.BASE_URL)


def check(file: bytes) -> None:
    """Check a receipt as an outsider does, by the file alone."""
    content = json.loads(file)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(content["public_key"]))
    key.verify(bytes.fromhex(content["signature"]), content["body"].encode())


@pytest.mark.proof("privacy: a receipt is checked by its public key, and any changed byte fails")
def test_a_receipt_is_checked_offline_and_any_changed_byte_fails(
    person: User, tried: Tried
) -> None:
    file = receipts.file_of(make.erased(person).receipt)
    content = json.loads(file)

    check(file)
    for position in range(0, len(content["body"]), 7):
        body = content["body"]
        changed = body[:position] + chr(ord(body[position]) ^ 1) + body[position + 1 :]
        with pytest.raises(InvalidSignature):
            check(json.dumps({**content, "body": changed}).encode())
        tried.case()


def test_another_key_does_not_check_a_receipt(person: User) -> None:
    content = json.loads(receipts.file_of(make.erased(person).receipt))
    other = public_key("manifest").hex()

    with pytest.raises(InvalidSignature):
        check(json.dumps({**content, "public_key": other}).encode())


def test_the_address_is_the_same_in_every_mail_and_secret() -> None:
    plan_id, other = uuid7(), uuid7()

    token = receipts.token_of(plan_id)
    drop_keys()

    assert receipts.token_of(plan_id) == token
    assert len(token) == 43
    assert receipts.token_of(other) != token
    assert plan_id.hex not in token


def test_before_the_erasure_the_page_says_when(person: User, visitor: Browser) -> None:
    page = visitor.get(path_of(make.planned(person)))

    assert page.status_code == 200
    assert "The erasure begins on" in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_while_it_runs_the_page_says_so(person: User, visitor: Browser) -> None:
    plan = make.due(person)
    erasure_runs._claim(plan.pk)

    assert "The erasure is running" in visitor.get(path_of(plan)).content.decode()


def test_after_the_erasure_the_page_shows_and_gives_the_receipt(
    person: User, visitor: Browser
) -> None:
    plan = make.erased(person)

    page = visitor.get(path_of(plan))
    file = visitor.get(f"{path_of(plan)}?download")

    assert "Download the receipt" in page.content.decode()
    assert "Your account" in page.content.decode()
    assert "accounts.user" not in page.content.decode()
    assert file["Content-Disposition"] == 'attachment; filename="erasure-receipt.json"'
    check(file.content)


def test_a_cancelled_erasure_has_no_receipt(person: User, visitor: Browser) -> None:
    plan = make.planned(person)
    erasure.cancel(plan, principal=make.principal_of(person))

    page = visitor.get(path_of(plan))

    assert "This erasure was cancelled" in page.content.decode()


def test_an_unknown_address_is_not_found(person: User, visitor: Browser) -> None:
    plan = make.erased(person)

    for token in ("x", str(plan.pk), receipts.token_of(uuid7())):
        page = visitor.get(f"/privacy/receipts/{token}/?download")
        assert page.status_code == 404
        assert "There is no receipt at this address" in page.content.decode()
