"""Value format v1: ``01 | key id 8 B | nonce 12 B | ciphertext | tag 16 B`` (encryption.md 2).

Associated data: ``header (format, key id) | length of label 2 B | label | row key 16 B``. The
format is frozen: a change needs a new format byte. Reserved: 02 XAES-256-GCM, 03 padded plaintext.
"""

from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.errors import Tampered

FORMAT: Final = b"\x01"
KEY_ID_BYTES: Final = 8
HEADER_BYTES: Final = 9
OVERHEAD_BYTES: Final = 37

_NONCE_END = 21
_ROW_BYTES = 16
_SHORTEST = OVERHEAD_BYTES
_FORMAT_NUMBER = FORMAT[0]


def label_part(label: str) -> bytes:
    """Return the length-prefixed label as it stands in the associated data."""
    encoded = label.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def seal(cipher: AESGCM, *, header: bytes, label: bytes, row: bytes, plaintext: bytes) -> bytes:
    """Seal one value.

    Args:
        cipher: AES-256-GCM under the data key.
        header: format byte and key id.
        label: result of ``label_part``.
        row: the 16 bytes of the row's key.
        plaintext: what to seal; may be empty.
    """
    if len(row) != _ROW_BYTES:
        raise ValueError("a row key has 16 bytes")
    nonce = urandom(12)
    return b"".join((header, nonce, cipher.encrypt(nonce, plaintext, header + label + row)))


def key_id_of(sealed: bytes) -> bytes:
    """Return the id of the key that sealed a value.

    Raises:
        Tampered: too short, or of an unknown format.
    """
    if len(sealed) < _SHORTEST or sealed[0] != _FORMAT_NUMBER:
        raise Tampered("a sealed value is cut short or has an unknown format")
    return sealed[1:HEADER_BYTES]


def open_sealed(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    """Open one value whose format was checked by ``key_id_of``.

    Args:
        cipher: AES-256-GCM under the data key.
        sealed: the stored bytes.
        place: result of ``label_part`` and the 16 bytes of the row's key.

    Raises:
        Tampered: the value was not sealed by this key for this label and row.
    """
    try:
        return cipher.decrypt(
            sealed[HEADER_BYTES:_NONCE_END], sealed[_NONCE_END:], sealed[:HEADER_BYTES] + place
        )
    except InvalidTag as error:
        raise Tampered("a sealed value was changed, or belongs to another row or field") from error
