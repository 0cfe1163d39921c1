"""Sign and verify messages as Standard Webhooks 1.0 writes it, version ``v1``.

Source: https://www.standardwebhooks.com/ (specification 1.0.0): HMAC-SHA256 over
``id.timestamp.body``, the secret written as ``whsec_`` and base64, the signature as ``v1,`` and
base64, several signatures separated by spaces while a secret is being rotated.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from foundation.errors import Invalid

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, no secret
SECRET_BYTES = 32
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
TOLERANCE_SECONDS = 300


class InvalidSignature(Invalid):
    """A message is unsigned, wrongly signed or too old; which of them is not told."""

    code = "signing.invalid_signature"


@dataclass(frozen=True)
class SignedMessage:
    """A message as it arrived: the three headers and the raw body."""

    message_id: str
    timestamp: str
    signatures: str
    body: bytes


def new_secret() -> str:
    """Make a signing secret of 32 random bytes in its written form."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Give the value of ``webhook-signature`` for one secret.

    Args:
        secret: written form, ``whsec_…``.
        message_id: the same over retries and replays; holds no full stop.
        timestamp: seconds since 1970 of this attempt.
        body: the exact bytes that are sent.

    Raises:
        Invalid: the secret or the id has not the form above.
    """
    if "." in message_id or not message_id:
        raise Invalid("A message id is not empty and holds no full stop.")
    digest = _digest(_key(secret), message_id, str(timestamp), body)
    return "v1," + base64.b64encode(digest).decode()


def verify(
    message: SignedMessage,
    *,
    secrets_in_use: Sequence[str],
    now: int,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> None:
    """Check that one of the secrets signed this message, recently.

    Every secret is tried against every signature, each in constant time.

    Raises:
        InvalidSignature: for any fault; the reasons look alike.
    """
    is_recent = _is_recent(message.timestamp, now=now, tolerance_seconds=tolerance_seconds)
    is_signed = False
    for secret in secrets_in_use:
        expected = _digest(_key(secret), message.message_id, message.timestamp, message.body)
        for given in _given(message.signatures):
            is_signed |= hmac.compare_digest(expected, given)
    if not (is_recent and is_signed):
        raise InvalidSignature("The signature does not fit the message.")


def _is_recent(timestamp: str, *, now: int, tolerance_seconds: int) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004
        return False
    return abs(now - int(timestamp)) <= tolerance_seconds


def _given(header: str) -> list[bytes]:
    found = []
    for part in header.split(" ")[:16]:
        version, _, value = part.partition(",")
        if version != "v1":
            continue
        try:
            found.append(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            continue
    return found


def _digest(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return hmac.new(key, signed, hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("A signing secret is 'whsec_' and base64.") from error
    if not (secret.startswith(SECRET_PREFIX) and MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES):
        raise Invalid("A signing secret is 'whsec_' and 24 to 64 bytes in base64.")
    return key
