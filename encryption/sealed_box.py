"""Sealing to the vault: HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM, base mode.

Anybody seals; only zone ``vault`` opens. Format: ``01 | key id 16 B | encapsulated key 32 B |
ciphertext``. The private half is sealed under a data key of purpose ``vault``.
"""

from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from django.db import IntegrityError, transaction
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey
from pyhpke.exceptions import PyHPKEError

from encryption import envelope
from encryption.database import alias_of, keys_database
from encryption.errors import KeyLost, KeysUnavailable, Refused, Tampered
from encryption.key_tables import SealingKey
from encryption.keyring import keyring
from encryption.router import KEYS
from encryption.types import NO_OWNER, VAULT, KeyState, Owner, OwnerKind
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent
from foundation.identifiers import uuid7

_SUITE: Final = CipherSuite.new(
    KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM
)
_FORMAT = b"\x01"
_INFO = b"gatehouse vault v1"
_LABEL = envelope.label_part("encryption.sealing_key.private")
_OWNER = Owner(OwnerKind.PURPOSE, NO_OWNER)
_HEADER_BYTES = 17
_KEY_END = 49
_SHORTEST = 65


def seal_to_vault(plaintext: bytes, associated: bytes) -> bytes:
    """Seal bytes that only zone ``vault`` can open.

    Args:
        plaintext: the secret.
        associated: bound but not secret input; opening needs the same bytes.

    Raises:
        KeysUnavailable: the vault has no key pair yet, or the keys database is away.
    """
    row_id, public = _public_half()
    key = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(public))
    encapsulated, context = _SUITE.create_sender_context(key, info=_INFO)
    header = _FORMAT + row_id.bytes
    return header + encapsulated + context.seal(plaintext, aad=header + associated)


def open_from_vault(sealed: bytes, associated: bytes) -> bytes:
    """Open bytes of ``seal_to_vault``.

    Raises:
        Refused: this process is not in zone ``vault``.
        Tampered: changed, or sealed with other associated data.
        KeyLost: the key pair is not in the keys database.
    """
    alias_of(VAULT)
    if len(sealed) < _SHORTEST or sealed[:1] != _FORMAT:
        raise Tampered("a sealed payload has an unknown format")
    header, encapsulated = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:_KEY_END]
    key = KEMKey.from_pyca_cryptography_key(_private_half(UUID(bytes=header[1:])))
    try:
        context = _SUITE.create_recipient_context(encapsulated, key, info=_INFO)
        return context.open(sealed[_KEY_END:], aad=header + associated)
    except (PyHPKEError, ValueError) as error:
        raise Tampered("a sealed payload was changed, or belongs elsewhere") from error


def ensure_key_pair() -> None:
    """Make the vault's key pair if there is none.

    Raises:
        Refused: this process is not in zone ``vault``.
    """
    if _active_row() is None:
        _make()


def _public_half() -> tuple[UUID, bytes]:
    found = _active_row()
    if found is None:
        try:
            _make()
        except Refused as error:
            raise KeysUnavailable("the vault has no key yet: start zone vault first") from error
        found = _active_row()
    if found is None:
        raise KeysUnavailable("the vault has no key yet")
    return found


def _active_row() -> tuple[UUID, bytes] | None:
    with keys_database():
        rows = SealingKey.objects.using(KEYS).filter(purpose=VAULT, state=KeyState.ACTIVE)
        found = rows.values_list("id", "public_key").first()
    return None if found is None else (found[0], bytes(found[1]))


def _make() -> None:
    alias = alias_of(VAULT)
    private = X25519PrivateKey.generate()
    row = SealingKey(id=uuid7(), purpose=VAULT, public_key=private.public_key().public_bytes_raw())
    handle = keyring.for_sealing(_OWNER, VAULT)
    row.sealed_private_key = envelope.seal(
        handle.cipher,
        header=handle.header,
        label=_LABEL,
        row=row.id.bytes,
        plaintext=private.private_bytes_raw(),
    )
    try:
        with keys_database(), transaction.atomic(using=alias):
            row.save(using=alias, force_insert=True)
    except IntegrityError:  # another process was quicker: its pair is used
        return
    key_journal.record(KeyEvent("encryption.key.created", details={"key": "sealing vault"}))


def _private_half(row_id: UUID) -> X25519PrivateKey:
    with keys_database():
        rows = SealingKey.objects.using(alias_of(VAULT)).filter(pk=row_id)
        row = rows.first()
    if row is None:
        raise KeyLost("the key pair of a sealed payload is not in the keys database")
    sealed = bytes(row.sealed_private_key)
    handle = keyring.get(envelope.key_id_of(sealed), purpose=VAULT)
    if handle is None:
        raise KeyLost("the vault's data key is not in the keys database")
    if handle.purpose != VAULT:
        raise Tampered("the vault's key pair is sealed under a foreign key")
    raw = envelope.open_sealed(handle.cipher, sealed, _LABEL + row_id.bytes)
    private = X25519PrivateKey.from_private_bytes(raw)
    if private.public_key().public_bytes_raw() != bytes(row.public_key):
        raise Tampered("the public half of the vault's key pair was changed")
    return private
