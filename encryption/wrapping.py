"""Wrapping of data, signing and index keys by a key-encryption key.

Blob: ``01 | nonce 12 B | ciphertext 32 B | tag 16 B``, AES-256-GCM. The facts about the key are
associated data, so a key row cannot be pointed at another owner, purpose or epoch.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.errors import Tampered
from encryption.providers.base import KEY_BYTES, Context, canonical

_FORMAT = b"\x01"
_NONCE_END = 13
_BLOB_BYTES = 61


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def new_key_id() -> bytes:
    """Return a random key id; never counted, because a restore would issue one twice."""
    return secrets.token_bytes(8)


def id_number(key_id: bytes) -> int:
    """Return a key id as the keys database stores it."""
    return int.from_bytes(key_id, "big", signed=True)


def id_bytes(number: int) -> bytes:
    """Return a stored key id as it stands in a sealed value."""
    return number.to_bytes(8, "big", signed=True)


def wrap(kek: AESGCM, raw: bytes, facts: Context) -> bytes:
    """Return the blob of a key."""
    nonce = secrets.token_bytes(12)
    return _FORMAT + nonce + kek.encrypt(nonce, raw, _FORMAT + canonical(facts))


def unwrap(kek: AESGCM, blob: bytes, facts: Context) -> bytes:
    """Return the key of a blob.

    Raises:
        Tampered: the blob or one of the facts about the key was changed.
    """
    if len(blob) != _BLOB_BYTES or blob[:1] != _FORMAT:
        raise Tampered("a key in the keys database has an unknown format")
    try:
        return kek.decrypt(blob[1:_NONCE_END], blob[_NONCE_END:], _FORMAT + canonical(facts))
    except InvalidTag as error:
        raise Tampered("a key in the keys database was changed") from error
