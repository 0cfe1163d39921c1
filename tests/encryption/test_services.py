"""Purpose keys, signatures, MACs, bytes, the vault's box: what other floors call."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connections, transaction
from pytest_django import Settings

from encryption import sealed_box, services, signing
from encryption.errors import Erased, KeyLost, KeysUnavailable, Refused, Tampered
from encryption.key_tables import DataKey, KekEpoch, ReplayLedgerEntry, SealingKey, SigningKey
from encryption.types import DATA, VAULT, Owner, OwnerKind, ReplayKind
from tests.encryption.conftest import Recorded
from tests.factories.encryption import subject
from tests.proofs import Tried
from tests.servers import FreshDatabase

ROW = uuid4()


def test_a_text_of_a_purpose_comes_back() -> None:
    token = services.seal_text("totp", "JBSWY3DP ż")

    assert token.startswith("g1.")
    assert token.isascii()
    assert "JBSWY3DP" not in token
    assert services.reveal_text("totp", token) == "JBSWY3DP ż"


def test_a_text_of_another_purpose_is_refused() -> None:
    token = services.seal_text("totp", "x")
    services.seal_text("mail", "x")

    with pytest.raises(Tampered, match="another purpose"):
        services.reveal_text("mail", token)


@pytest.mark.parametrize("change", [
    lambda _token: "",
    lambda token: "x" + token,
    lambda token: token[:-4],
    lambda token: token[:20] + "*" + token[21:],
    lambda _token: "g1.ż",
    lambda token: token[:-6] + "AAAAAA",
])  # fmt: skip
def test_a_changed_text_is_refused(change: Callable[[str], str]) -> None:
    token = services.seal_text("totp", "secret")

    with pytest.raises(Tampered):
        services.reveal_text("totp", change(token))


def test_a_text_whose_key_is_gone_is_lost() -> None:
    token = services.seal_text("totp", "secret")
    DataKey.objects.all().delete()
    services.drop_keys()

    with pytest.raises(KeyLost):
        services.reveal_text("totp", token)


@pytest.mark.parametrize("purpose", [DATA, VAULT])
def test_reserved_purposes_are_refused(purpose: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        services.seal_text(purpose, "x")


def test_macs_depend_on_purpose_and_data_alone() -> None:
    first = services.mac("audit", b"x")
    services.drop_keys()

    assert services.mac("audit", b"x") == first
    assert len(first) == 32
    assert services.mac("audit", b"y") != first
    assert services.mac("other", b"x") != first


def test_signatures_verify_for_their_purpose_and_data_alone(key_events: Recorded) -> None:
    signature = services.sign("checkpoint", b"x")
    services.drop_keys()

    assert services.verify("checkpoint", b"x", signature)
    assert not services.verify("checkpoint", b"y", signature)
    assert not services.verify("receipt", b"x", signature)
    assert not services.verify("checkpoint", b"x", services.sign("receipt", b"x"))
    assert services.sign("checkpoint", b"x").key_id == signature.key_id
    made = [event.details["key"] for event in key_events.events]
    assert made.count("signing checkpoint") == 1


def test_public_keys_are_found_by_id() -> None:
    signature = services.sign("checkpoint", b"x")

    assert services.public_key("checkpoint") == services.public_key(
        "checkpoint", key_id=signature.key_id
    )
    assert services.public_keys("checkpoint") == {
        signature.key_id: services.public_key("checkpoint")
    }
    with pytest.raises(KeyLost):
        services.public_key("checkpoint", key_id=b"12345678")


def test_a_swapped_public_key_is_noticed_by_the_signer() -> None:
    services.sign("checkpoint", b"x")
    SigningKey.objects.update(public_key=bytes(32))
    services.drop_keys()

    with pytest.raises(Tampered):
        services.sign("checkpoint", b"x")


def test_bytes_of_an_owner_come_back() -> None:
    owner = subject()
    sealed = services.seal_bytes(owner=owner, label="audit.actor", row_id=ROW, plaintext=b"x")
    services.drop_keys()
    services.preload([sealed])

    assert services.open_bytes(owner=owner, label="audit.actor", row_id=ROW, sealed=sealed) == b"x"


def test_bytes_of_another_owner_label_or_row_are_refused() -> None:
    owner, other = subject(), Owner(OwnerKind.ORGANISATION, uuid4())
    sealed = services.seal_bytes(owner=owner, label="a", row_id=ROW, plaintext=b"x")

    for given, label, row in ((other, "a", ROW), (owner, "b", ROW), (owner, "a", uuid4())):
        with pytest.raises(Tampered):
            services.open_bytes(owner=given, label=label, row_id=row, sealed=sealed)


def test_bytes_of_an_erased_owner_are_erased_and_cannot_be_made_again() -> None:
    owner = subject()
    sealed = services.seal_bytes(owner=owner, label="a", row_id=ROW, plaintext=b"x")
    services.erase(owner)

    assert services.was_erased(owner)
    with pytest.raises(Erased):
        services.open_bytes(owner=owner, label="a", row_id=ROW, sealed=sealed)
    with pytest.raises(Erased):
        services.seal_bytes(owner=owner, label="a", row_id=ROW, plaintext=b"x")


def test_a_day_owns_keys() -> None:
    day = Owner.day(date(2026, 11, 24))

    assert day.kind == OwnerKind.DAY
    assert day == Owner.day(date(2026, 11, 24)) != Owner.day(date(2026, 11, 25))


def test_the_vault_opens_what_anybody_sealed() -> None:
    sealed = services.seal_to_vault(b"api key", b"credential 1")
    services.drop_keys()

    assert b"api key" not in sealed
    assert services.open_from_vault(sealed, b"credential 1") == b"api key"
    assert services.open_from_vault(services.seal_to_vault(b"", b""), b"") == b""


@pytest.mark.proof(
    "encryption: every changed byte and every foreign binding of a payload is refused"
)
def test_a_changed_payload_or_another_binding_is_refused(tried: Tried) -> None:
    sealed = services.seal_to_vault(b"api key", b"credential 1")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises((Tampered, KeyLost)):
            services.open_from_vault(bytes(changed), b"credential 1")
        tried.case()
    for associated in (b"", b"credential 2", b"credential 1 "):
        with pytest.raises(Tampered):
            services.open_from_vault(sealed, associated)
    with pytest.raises(Tampered):
        services.open_from_vault(sealed[:64], b"credential 1")

    assert tried.cases == len(sealed)
    assert services.open_from_vault(sealed, b"credential 1") == b"api key"  # control


@pytest.mark.proof("encryption: every zone but vault is refused")
def test_only_zone_vault_opens(settings: Settings, tried: Tried) -> None:
    sealed = services.seal_to_vault(b"api key", b"a")
    settings.ZONE = "web"

    assert services.seal_to_vault(b"more", b"a")
    with pytest.raises(Refused) as caught:
        services.open_from_vault(sealed, b"a")
    assert caught.value.reason_code == "encryption.zone"
    settings.ZONE = "vault"
    assert services.open_from_vault(sealed, b"a") == b"api key"  # control
    tried.case()


def test_before_zone_vault_has_started_sealing_waits(settings: Settings) -> None:
    settings.ZONE = "web"

    with pytest.raises(KeysUnavailable, match="start zone vault"):
        services.seal_to_vault(b"x", b"a")


def test_the_web_role_sees_no_key_of_the_vault() -> None:
    services.seal_to_vault(b"x", b"a")

    assert DataKey.objects.using("keys_vault").filter(purpose=VAULT).count() == 1  # control
    assert KekEpoch.objects.using("keys_vault").filter(purpose=VAULT).count() == 1
    assert not DataKey.objects.using("keys").filter(purpose=VAULT).exists()
    assert not KekEpoch.objects.using("keys").filter(purpose=VAULT).exists()
    assert not DataKey.objects.using("keys_vault").exclude(purpose=VAULT).exists()
    for statement in (
        "SELECT sealed_private_key FROM encryption_sealingkey",
        (
            "INSERT INTO encryption_kekepoch (purpose, number, state, blob, root_version_id) "
            "SELECT 'vault', 9, 'retired', '', name FROM encryption_rootversion"
        ),
    ):
        with pytest.raises(ProgrammingError), transaction.atomic(using="keys"):
            connections["keys"].cursor().execute(statement)


@pytest.mark.parametrize(
    "table", ["revocation", "erasureledgerentry", "replayledgerentry", "installation", "kekwrap"]
)
def test_ledgers_are_append_only(table: str) -> None:
    services.prepare()
    for statement in ("DELETE FROM encryption_{}", "TRUNCATE encryption_{}"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(using="keys"),
        ):
            connections["keys"].cursor().execute(statement.format(table))


def test_a_key_pair_whose_halves_do_not_fit_is_refused() -> None:
    sealed = services.seal_to_vault(b"x", b"a")
    SealingKey.objects.using("keys_vault").update(public_key=bytes(32))

    with pytest.raises(Tampered, match="public half"):
        services.open_from_vault(sealed, b"a")


def test_a_lost_key_pair_is_lost() -> None:
    sealed = services.seal_to_vault(b"x", b"a")
    SealingKey.objects.using("keys_vault").update(state="retired", purpose="gone")
    assert services.open_from_vault(sealed, b"a") == b"x"  # control: retired pairs open

    with pytest.raises(KeyLost):
        services.open_from_vault(sealed[:1] + bytes(16) + sealed[17:], b"a")


def test_the_replay_ledger_takes_each_digest_once() -> None:
    services.remember(ReplayKind.KILLED, bytes(32))
    services.remember(ReplayKind.KILLED, bytes(32))

    assert ReplayLedgerEntry.objects.count() == 1
    with pytest.raises(ValueError, match="digests"):
        services.remember(ReplayKind.KILLED, b"short")


def test_preparing_twice_is_harmless(key_events: Recorded) -> None:
    services.prepare()
    services.prepare()

    assert services.ring_state() == "ok"
    assert services.health().works
    assert KekEpoch.objects.count() == 1
    assert sorted(event.details["key"] for event in key_events.events) == [
        "epoch general 1",
        "epoch vault 1",
        "sealing vault",
    ]


def test_preparing_outside_the_vault_zone_makes_no_vault_key(settings: Settings) -> None:
    settings.ZONE = "web"

    services.prepare()

    assert not SealingKey.objects.exists()


def test_key_pairs_made_by_another_process_are_used() -> None:
    services.prepare()
    public = services.public_key("checkpoint")

    sealed_box._make()
    again = signing._make("checkpoint")

    assert SealingKey.objects.using("keys_vault").count() == 1
    assert bytes(again.public_key) == public


def test_a_box_whose_data_key_is_gone_is_lost() -> None:
    sealed = services.seal_to_vault(b"x", b"a")
    services.drop_keys()
    other = services.seal_bytes(owner=subject(), label="a", row_id=ROW, plaintext=b"x")
    SealingKey.objects.using("keys_vault").update(sealed_private_key=b"\x01" + bytes(36))
    with pytest.raises(KeyLost, match="data key"):
        services.open_from_vault(sealed, b"a")

    SealingKey.objects.using("keys_vault").update(sealed_private_key=other)
    with pytest.raises((Tampered, KeyLost)):
        services.open_from_vault(sealed, b"a")


def test_without_any_key_pair_nothing_is_sealed(fresh_database: FreshDatabase) -> None:
    fresh_database.refuse_rows(SealingKey)

    with pytest.raises(KeysUnavailable, match="no key yet"):
        services.seal_to_vault(b"x", b"a")
