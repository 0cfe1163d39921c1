"""Blobs of the key services outside of this process, and what is wrapped in them.

A blob is ``02 | length 2 B | name of the root version | ciphertext``; the name says which service
and which of its keys wrapped it, so it needs no second column and cannot be read by another one.

The wrapped bytes are ``key 32 B | SHA-256(context)[:16] | SHA-256(key)[:8]``: the second part binds
the context where a service has no associated data, or was set up to ignore it; the third notices a
service that returns other bytes than it was given.
"""

import hashlib
from secrets import compare_digest
from typing import Final

from encryption.providers.base import KEY_BYTES, BadBlob, Context, canonical

NAME_CHARACTERS: Final = 200  # of a root version's row

_FORMAT: Final = b"\x02"
_HEADER: Final = 3
_BOUND: Final = 16
_CHECK: Final = 8


def require_short(setting: str, longest: str) -> None:
    """Refuse a key whose root versions would have names too long to be kept.

    Args:
        setting: what names the key.
        longest: name of a root version as long as they get.

    Raises:
        ValueError: it is too long.
    """
    if len(longest) > NAME_CHARACTERS:
        over = len(longest) - NAME_CHARACTERS
        raise ValueError(f"{setting} is too long by {over} characters: give the key a shorter name")


def header_of(version: str) -> bytes:
    """Return what stands before the ciphertext of a root version."""
    name = version.encode("ascii")
    return _FORMAT + len(name).to_bytes(2, "big") + name


def framed(version: str, ciphertext: bytes) -> bytes:
    """Return a blob."""
    return header_of(version) + ciphertext


def taken_apart(blob: bytes, service: str) -> tuple[str, bytes]:
    """Return the name of the root version and the ciphertext of a blob.

    Args:
        blob: from ``framed``.
        service: code of the service, with which the name begins.

    Raises:
        BadBlob: no blob, or that of another service.
    """
    end = _HEADER + int.from_bytes(blob[1:_HEADER], "big")
    name = blob[_HEADER:end]
    if blob[:1] != _FORMAT or len(blob) <= end or not name.startswith(f"{service}:".encode()):
        raise BadBlob(f"the blob is not one of {service}")
    if not name.isascii() or not name.decode("ascii").isprintable():
        raise BadBlob(f"the blob is not one of {service}")
    return name.decode("ascii"), blob[end:]


def packed(raw: bytes, context: Context) -> bytes:
    """Return what is handed to the service to wrap.

    Raises:
        ValueError: the key has another length than 32 bytes.
    """
    if len(raw) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return raw + _bound(context) + _check(raw)


def unpacked(plain: bytes, context: Context) -> bytes:
    """Return the key of what a service unwrapped.

    Raises:
        BadBlob: another context, or not the bytes that were wrapped.
    """
    raw, rest = plain[:KEY_BYTES], plain[KEY_BYTES:]
    if not compare_digest(rest[_BOUND:], _check(raw)):
        raise BadBlob("the key service returned other bytes than were wrapped")
    if not compare_digest(rest[:_BOUND], _bound(context)):
        raise BadBlob("the blob belongs to another context")
    return raw


def _bound(context: Context) -> bytes:
    return hashlib.sha256(canonical(context)).digest()[:_BOUND]


def _check(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:_CHECK]
