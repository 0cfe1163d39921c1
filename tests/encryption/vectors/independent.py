"""The formats of docs/security/cryptography.md, written from that page alone.

It shares no code and no library with the product: PyCryptodome and the standard library only. It
opens; it does not make.
"""

import base64
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol import HPKE
from Crypto.Protocol.KDF import HKDF
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

SEGMENT = 65_536
TAG = 16


def canonical(facts: Mapping[str, object]) -> bytes:
    """Return canonical JSON of flat ASCII facts: sorted names, no spaces (RFC 8785)."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def open_value(sealed: bytes, *, key: bytes, label: str, row: bytes) -> bytes:
    """Open value format 1."""
    if sealed[:1] != b"\x01" or len(sealed) < 37:
        raise ValueError("not a value of format 1")
    name = label.encode()
    bound = sealed[:9] + len(name).to_bytes(2, "big") + name + row
    return _gcm(key, sealed[9:21], sealed[21:], bound)


def open_text(token: str, *, key: bytes, purpose: str) -> str:
    """Open the text of a purpose."""
    prefix, _, body = token.partition(".")
    if prefix != "g1":
        raise ValueError("not a text of a purpose")
    sealed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return open_value(sealed, key=key, label=f"purpose.{purpose}", row=bytes(16)).decode()


def unwrap(blob: bytes, *, key: bytes, facts: Mapping[str, object]) -> bytes:
    """Open a wrapped data, signing or index key."""
    if blob[:1] != b"\x01" or len(blob) != 61:
        raise ValueError("not a wrapped key")
    return _gcm(key, blob[1:13], blob[13:], blob[:1] + canonical(facts))


def unwrap_by_key_file(blob: bytes, *, line: str, context: Mapping[str, object]) -> bytes:
    """Open the blob of an epoch by a line of the root key file."""
    magic, layout, number, encoded = line.split(" ")
    if (magic, layout) != ("gatehouse-root-key", "1") or len(blob) != 65:
        raise ValueError("not a root key")
    if blob[:5] != b"\x01" + int(number).to_bytes(4, "big"):
        raise ValueError("another root version")
    return _gcm(base64.b64decode(encoded), blob[5:17], blob[17:], blob[:5] + canonical(context))


def blind_digest(value: str, *, root: bytes, label: str, is_email: bool) -> bytes:
    """Return the digest of a blind index."""
    name = label.encode()
    info = b"gatehouse blind index v1" + len(name).to_bytes(2, "big") + name
    key = _hkdf(root, 32, b"", info)
    return hmac.digest(key, b"\x01" + normal_form(value, is_email=is_email), "sha256")[:16]


def normal_form(value: str, *, is_email: bool) -> bytes:
    """Return normal form 1 of a text or an address."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    text = unicodedata.normalize("NFKC", folded).strip()
    if is_email:
        local, _, domain = text.rpartition("@")
        text = f"{local}@{domain.encode('idna').decode()}"
    return text.encode()


@dataclass(frozen=True)
class File:
    """A sealed file and what it is bound to."""

    content: bytes
    key: bytes
    label: str
    document: bytes

    def opened(self) -> bytes:
        """Verify everything and return the plain bytes."""
        head, body = self.content[:78], self.content[78:]
        if head[:7] != b"GHSF\x01\x01\x10":
            raise ValueError("not a sealed file")
        name = self.label.encode()
        info = len(name).to_bytes(2, "big") + name + self.document + head[:62]
        derived = _hkdf(self.key, 48, head[15:47], info)
        if not hmac.compare_digest(derived[32:], head[62:]):
            raise ValueError("wrong commitment")
        plain = b""
        pieces = [body[at : at + SEGMENT + TAG] for at in range(0, len(body), SEGMENT + TAG)]
        for number, piece in enumerate(pieces):
            last = bytes([number == len(pieces) - 1])
            plain += _gcm(derived[:32], head[47:54] + number.to_bytes(4, "big") + last, piece, b"")
        length = int.from_bytes(head[54:62], "big")
        if length not in {2**64 - 1, len(plain)}:
            raise ValueError("wrong length")
        return plain


def signature_is_right(signature: bytes, *, public: bytes, data: bytes) -> bool:
    """Check an Ed25519 signature (RFC 8032)."""
    key = eddsa.import_public_key(public)
    try:
        eddsa.new(key, "rfc8032").verify(data, signature)
    except ValueError:
        return False
    return True


def public_of_seed(seed: bytes) -> bytes:
    """Return the public half of an Ed25519 key."""
    public = eddsa.import_private_key(seed).public_key()
    return bytes(public.export_key(format="raw"))


def open_box(sealed: bytes, *, private: bytes, pair: bytes, associated: bytes) -> bytes:
    """Open what was sealed to the vault."""
    if sealed[:17] != b"\x01" + pair:
        raise ValueError("for another key pair")
    key = ECC.construct(curve="Curve25519", seed=private)
    box = HPKE.new(
        receiver_key=key,
        aead_id=HPKE.AEAD.AES256_GCM,
        enc=sealed[17:49],
        info=b"gatehouse vault v1",
    )
    return bytes(box.unseal(sealed[49:], auth_data=sealed[:17] + associated))


def owner_digest(kind: str, owner: str) -> bytes:
    """Return the digest by which the erasure ledger knows an owner."""
    return hashlib.sha256(f"gatehouse erasure v1\x00{kind}:{owner}".encode()).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """Return the MAC of a purpose."""
    return hmac.digest(key, data, "sha256")


def _gcm(key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=TAG)
    cipher.update(bound)
    return bytes(cipher.decrypt_and_verify(sealed[:-TAG], sealed[-TAG:]))


def _hkdf(secret: bytes, length: int, salt: bytes, info: bytes) -> bytes:
    derived = HKDF(secret, length, salt, SHA256, 1, info)
    assert isinstance(derived, bytes)
    return derived
