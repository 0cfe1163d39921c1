"""Ed25519 signatures, one key pair per purpose, private halves wrapped in the keys database."""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import IntegrityError

from encryption import wrapping
from encryption.database import keys_database
from encryption.epochs import Kek, ring
from encryption.errors import KeyLost
from encryption.key_tables import SigningKey
from encryption.providers.base import Context
from encryption.router import KEYS
from encryption.types import GENERAL, KeyState, Signature
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent


@dataclass(frozen=True, slots=True)
class _Signer:
    key_id: bytes
    private: Ed25519PrivateKey
    public: bytes


_signers: dict[str, _Signer] = {}


def sign(purpose: str, data: bytes) -> Signature:
    """Sign data with the key of a purpose, made at the first use."""
    signer = _signer(purpose)
    return Signature(value=signer.private.sign(data), key_id=signer.key_id)


def verify(purpose: str, data: bytes, signature: Signature) -> bool:
    """Say whether a key of this purpose, active or retired, made the signature."""
    public = _public_of(purpose, signature.key_id)
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature.value, data)
    except InvalidSignature:
        return False
    return True


def public_key(purpose: str, *, key_id: bytes | None = None) -> bytes:
    """Return the 32 bytes of a public key of a purpose: the active one, or that of an id.

    Raises:
        KeyLost: there is no key of this id.
    """
    if key_id is None:
        return _signer(purpose).public
    public = _public_of(purpose, key_id)
    if public is None:
        raise KeyLost("the public key of a signature is not in the keys database")
    return public


def public_keys(purpose: str) -> dict[bytes, bytes]:
    """Return all public keys of a purpose by key id, for verifiers outside the product."""
    with keys_database():
        rows = SigningKey.objects.using(KEYS).filter(purpose=purpose)
        return {wrapping.id_bytes(row.id): bytes(row.public_key) for row in rows}


def drop() -> None:
    """Forget the private keys of this process."""
    _signers.clear()


def signing_key_facts(row: SigningKey) -> Context:
    """Return what is bound to a wrapped signing key."""
    return {
        "key": wrapping.id_bytes(row.id).hex(),
        "purpose": row.purpose,
        "algorithm": "ed25519",
        "public": bytes(row.public_key).hex(),
        "epoch": row.epoch_id,
    }


def _signer(purpose: str) -> _Signer:
    signer = _signers.get(purpose)
    if signer is None:
        with keys_database():
            row = _active_row(purpose) or _make(purpose)
        kek = ring.get(row.epoch_id, GENERAL)
        raw = wrapping.unwrap(kek.cipher, bytes(row.blob), signing_key_facts(row))
        signer = _signers[purpose] = _Signer(
            key_id=wrapping.id_bytes(row.id),
            private=Ed25519PrivateKey.from_private_bytes(raw),
            public=bytes(row.public_key),
        )
    return signer


def _active_row(purpose: str) -> SigningKey | None:
    rows = SigningKey.objects.using(KEYS)
    return rows.filter(purpose=purpose, state=KeyState.ACTIVE).first()


def _make(purpose: str) -> SigningKey:
    raw = wrapping.new_key()
    row = SigningKey(id=wrapping.id_number(wrapping.new_key_id()), purpose=purpose)
    row.public_key = Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()

    def make(kek: Kek, alias: str) -> None:
        row.epoch_id = kek.row_id
        row.blob = wrapping.wrap(kek.cipher, raw, signing_key_facts(row))
        row.save(using=alias, force_insert=True)

    try:
        ring.under_active(GENERAL, make)
    except IntegrityError:  # another process was quicker
        return SigningKey.objects.using(KEYS).get(purpose=purpose, state=KeyState.ACTIVE)
    details = {"key": f"signing {purpose}"}
    key_journal.record(KeyEvent("encryption.key.created", details=details))
    return row


def _public_of(purpose: str, key_id: bytes) -> bytes | None:
    with keys_database():
        rows = SigningKey.objects.using(KEYS)
        row = rows.filter(purpose=purpose, pk=wrapping.id_number(key_id)).first()
    return None if row is None else bytes(row.public_key)


KEY_ID_BYTES: Final = 8
ring.on_refusal.append(drop)
