"""Ways in which the bytes of a cell can be wrong."""

from collections.abc import Callable

from encryption.errors import KeyLost, Tampered, Unreadable

PLAIN = b"planted in clear"

# What the bytes become, and the error that says so.
BAD: dict[str, tuple[Callable[[bytes], bytes], type[Unreadable]]] = {
    "empty": (lambda _: b"", Tampered),
    "cut to its format": (lambda value: value[:1], Tampered),
    "cut to its header": (lambda value: value[:9], Tampered),
    "cut to its nonce": (lambda value: value[:21], Tampered),
    "cut to 37 bytes": (lambda value: value[:37], Tampered),
    "cut by one byte": (lambda value: value[:-1], Tampered),
    "extended": (lambda value: value + b"\x00", Tampered),
    "bit of the nonce": (lambda value: flipped(value, 9), Tampered),
    "bit of the ciphertext": (lambda value: flipped(value, 21), Tampered),
    "bit of the tag": (lambda value: flipped(value, -1), Tampered),
    "format 00": (lambda value: b"\x00" + value[1:], Tampered),
    "format 02": (lambda value: b"\x02" + value[1:], Tampered),
    "format 03": (lambda value: b"\x03" + value[1:], Tampered),
    "format FF": (lambda value: b"\xff" + value[1:], Tampered),
    "plaintext": (lambda _: PLAIN, Tampered),
    "long plaintext": (lambda _: PLAIN * 20, Tampered),
    "plaintext like a value": (lambda _: b"\x01" + PLAIN * 20, KeyLost),
    "unknown key": (lambda value: value[:1] + b"unknown!" + value[9:], KeyLost),
}


def flipped(value: bytes, place: int) -> bytes:
    """Return bytes with one bit flipped."""
    changed = bytearray(value)
    changed[place] ^= 1
    return bytes(changed)
