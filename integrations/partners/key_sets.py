"""Public keys of partners: what we take into a key set, and what we do not.

A key set is a JWK Set (RFC 7517) of public keys for ES256, RS256 or PS256 (RFC 7518). A set that
holds a private or symmetric member is refused as a whole and not stored: whoever sent it has
given the key away and must make a new one.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _
from jwcrypto.common import JWException, base64url_decode
from jwcrypto.jwk import JWK

from foundation.errors import FieldError
from integrations.partners.errors import KeysNotAccepted

ALGORITHMS: Final = ("ES256", "PS256", "RS256")
MAX_KEYS: Final = 5
MAX_KID_CHARACTERS: Final = 128
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 4096
MAX_EXPONENT_BYTES: Final = 4

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_COMMON: Final = frozenset({"kty", "use", "key_ops", "alg", "kid"})
_EC: Final = frozenset({"crv", "x", "y"})
_RSA: Final = frozenset({"n", "e"})
_POINT_BYTES: Final = 32


def accepted(value: object, *, pointer: str = "/jwks") -> dict[str, object]:
    """Return a key set as it is stored: the known members of each key, nothing else.

    Raises:
        KeysNotAccepted: with one entry per wrong place.
    """
    if not isinstance(value, Mapping) or set(value) != {"keys"}:
        raise _refusal(pointer, "not_a_key_set", _("A key set has one member, “keys”."))
    keys = value["keys"]
    if not isinstance(keys, Sequence) or isinstance(keys, str) or not 1 <= len(keys) <= MAX_KEYS:
        detail = _("A key set holds 1 to %(count)s keys.") % {"count": MAX_KEYS}
        raise _refusal(f"{pointer}/keys", "wrong_count", detail)
    taken = [_key(key, f"{pointer}/keys/{place}") for place, key in enumerate(keys)]
    kids = [key["kid"] for key in taken]
    if len(set(kids)) != len(kids):
        raise _refusal(f"{pointer}/keys", "kid_repeated", _("Each key has a “kid” of its own."))
    return {"keys": taken}


def fits(key: Mapping[str, object], algorithm: str) -> bool:
    """Say whether a stored key may check a signature of an algorithm."""
    named = key.get("alg")
    if named is not None:
        return named == algorithm
    return key["kty"] == ("EC" if algorithm == "ES256" else "RSA")


def names(key_set: Mapping[str, object]) -> list[str]:
    """Return the ids of the keys of a stored set."""
    keys = key_set.get("keys", [])
    return [str(key["kid"]) for key in keys] if isinstance(keys, list) else []


def _key(key: object, pointer: str) -> dict[str, object]:
    if not isinstance(key, Mapping):
        raise _refusal(pointer, "not_a_key", _("A key is an object."))
    private = sorted(_PRIVATE & set(key))
    if private:
        detail = _("This is not a public key. Treat it as known to others: make a new one.")
        raise _refusal(f"{pointer}/{private[0]}", "private_member", detail)
    kind = key.get("kty")
    own = {"EC": _EC, "RSA": _RSA}.get(kind) if isinstance(kind, str) else None
    if own is None:
        raise _refusal(f"{pointer}/kty", "unknown_kind", _("A key is of the kind EC or RSA."))
    for name, member in key.items():
        _check_member(name, member, known=own | _COMMON, pointer=pointer)
    _check_use(key, pointer)
    _check_numbers(key, pointer)
    _check_loads(key, pointer)
    return {str(name): key[name] for name in sorted(key)}


def _check_member(name: object, member: object, *, known: frozenset[str], pointer: str) -> None:
    if name not in known:
        raise _refusal(f"{pointer}/{name}", "unknown_member", _("This member is not known here."))
    if name != "key_ops" and not isinstance(member, str):
        raise _refusal(f"{pointer}/{name}", "not_text", _("This member is a text."))


def _check_use(key: Mapping[str, object], pointer: str) -> None:
    kid = key.get("kid")
    if not isinstance(kid, str) or not 1 <= len(kid) <= MAX_KID_CHARACTERS or not kid.isprintable():
        detail = _("Each key has a “kid” of 1 to 128 printable characters.")
        raise _refusal(f"{pointer}/kid", "kid_needed", detail)
    if key.get("use", "sig") != "sig" or key.get("key_ops", ["verify"]) != ["verify"]:
        detail = _("A key here is for signatures: “use” is “sig”, “key_ops” is [“verify”].")
        raise _refusal(f"{pointer}/use", "wrong_use", detail)
    allowed = ("ES256",) if key["kty"] == "EC" else ("PS256", "RS256")
    if "alg" in key and key["alg"] not in allowed:
        raise _refusal(
            f"{pointer}/alg", "algorithm_refused", _("The algorithms are ES256, PS256 and RS256.")
        )


def _check_numbers(key: Mapping[str, object], pointer: str) -> None:
    if key["kty"] == "EC":
        if key.get("crv") != "P-256":
            raise _refusal(f"{pointer}/crv", "curve_refused", _("The curve is P-256."))
        for name in ("x", "y"):
            if len(_bytes(key, name, pointer)) != _POINT_BYTES:
                raise _refusal(f"{pointer}/{name}", "wrong_length", _("This number is 32 bytes."))
        return
    bits = int.from_bytes(_bytes(key, "n", pointer)).bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise _refusal(f"{pointer}/n", "wrong_length", _("An RSA key has 2048 to 4096 bits."))
    exponent = _bytes(key, "e", pointer)
    number = int.from_bytes(exponent)
    if len(exponent) > MAX_EXPONENT_BYTES or number < 2**16 or number % 2 == 0:
        detail = _("The exponent is an odd number from 65537 on; 65537 is the usual one.")
        raise _refusal(f"{pointer}/e", "exponent_refused", detail)


def _bytes(key: Mapping[str, object], name: str, pointer: str) -> bytes:
    try:
        return base64url_decode(str(key[name])) if name in key else b""
    except (ValueError, TypeError) as error:
        detail = _("This member is not base64url.")
        raise _refusal(f"{pointer}/{name}", "not_base64url", detail) from error


def _check_loads(key: Mapping[str, object], pointer: str) -> None:
    try:
        JWK(**{str(name): value for name, value in key.items()}).get_op_key("verify")
    except (JWException, ValueError, TypeError) as error:
        detail = _("This key cannot be read; for EC, the point is not on the curve.")
        raise _refusal(pointer, "unreadable_key", detail) from error


def _refusal(pointer: str, code: str, detail: str) -> KeysNotAccepted:
    return KeysNotAccepted(
        _("The public keys are not accepted."),
        errors=(FieldError(pointer=pointer, code=code, detail=detail),),
    )
