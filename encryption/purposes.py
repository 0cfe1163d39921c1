"""Purpose keys, which have no owner: texts in columns of libraries, and MACs."""

import base64
import binascii
import hashlib
import hmac

from encryption import envelope
from encryption.errors import KeyLost, Tampered
from encryption.keyring import keyring
from encryption.types import DATA, NO_OWNER, VAULT, Owner, OwnerKind

_TOKEN = "g1."  # noqa: S105  a version mark, no secret
_NO_ROW = bytes(16)
_NOBODY = Owner(OwnerKind.PURPOSE, NO_OWNER)
_RESERVED = frozenset({DATA, VAULT})


def seal_text(purpose: str, text: str) -> str:
    """Seal a text into ASCII, for a library's column that has no row key of ours."""
    handle = keyring.for_sealing(_NOBODY, _checked(purpose))
    sealed = envelope.seal(
        handle.cipher,
        header=handle.header,
        label=_label(purpose),
        row=_NO_ROW,
        plaintext=text.encode(),
    )
    return _TOKEN + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def reveal_text(purpose: str, token: str) -> str:
    """Open a text of ``seal_text``.

    Raises:
        Tampered: changed, or sealed for another purpose.
        KeyLost: its key is not in the keys database.
    """
    sealed = _from_token(token)
    handle = keyring.get(envelope.key_id_of(sealed), purpose=_checked(purpose))
    if handle is None:
        raise KeyLost("the key of a sealed text is not in the keys database")
    if handle.purpose != purpose:
        raise Tampered("a sealed text belongs to another purpose")
    plain = envelope.open_sealed(handle.cipher, sealed, _label(purpose) + _NO_ROW)
    return plain.decode()


def mac(purpose: str, data: bytes) -> bytes:
    """Return the HMAC-SHA-256 of data under the key of a purpose."""
    handle = keyring.current(_NOBODY, f"mac:{_checked(purpose)}")
    return hmac.digest(handle.raw, data, hashlib.sha256)


def _checked(purpose: str) -> str:
    if purpose in _RESERVED:
        raise ValueError(f"purpose {purpose} is reserved")
    return purpose


def _label(purpose: str) -> bytes:
    return envelope.label_part(f"purpose.{purpose}")


def _from_token(token: str) -> bytes:
    if not token.startswith(_TOKEN):
        raise Tampered("a sealed text has an unknown format")
    body = token.removeprefix(_TOKEN)
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Tampered("a sealed text was changed") from error
