"""Canonical bytes of an entry: what is stored, sealed into the tree and checked by auditors.

RFC 8785 over values that survive every reader: text without NUL and lone surrogates, integers that
a double holds exactly, no floats. Decimals and times are strings.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

import jcs  # type: ignore[import-untyped]  # the package carries no types
import orjson

MAX_TEXT_BYTES = 2048
MAX_INTEGER = 2**53 - 1

_BEYOND_BASIC_PLANE = re.compile(b"[\xf0-\xf4]")  # first byte of four in UTF-8
_REPLACEMENT = "\ufffd"
_SURROGATES = dict.fromkeys(range(55296, 57344), _REPLACEMENT) | {0: _REPLACEMENT}


class Unserialisable(TypeError):
    """A value that entries do not hold: a float, or a type without a written form."""


def encode(value: object) -> bytes:
    """Return the canonical bytes of a value made of mappings, lists and scalars.

    The quick encoder writes what RFC 8785 says for values that :func:`plain`
    lets through, but sorts keys by code point and not by UTF-16 unit; only beyond the basic plane
    the two differ, and only there the slower reference is used. A test compares them.

    Raises:
        Unserialisable: it holds a float, an integer beyond 2**53 or a foreign type.
    """
    cleaned = plain(value)
    encoded = orjson.dumps(cleaned, option=orjson.OPT_SORT_KEYS)
    if encoded.isascii() or not _BEYOND_BASIC_PLANE.search(encoded):
        return encoded
    return bytes(jcs.canonicalize(cleaned))


def plain(value: object) -> object:
    """Return a value as JSON knows it, cleaned; long text becomes digest and length.

    Raises:
        Unserialisable: see :func:`encode`.
    """
    quick = _QUICK.get(type(value))
    if quick is not None:
        return quick(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in _ordered(value)]
    scalar = _scalar(value)
    return _short(scalar) if isinstance(scalar, str) else scalar


def text_of(value: object) -> str | None:
    """Return a value of a column as the text that entries show; None stays None."""
    if value is None:
        return None
    written = _scalar(value)
    return clean(written if isinstance(written, str) else str(written))


def clean(text: str) -> str:
    """Replace what PostgreSQL or JSON readers refuse: NUL and lone surrogates."""
    return text if text.isascii() and "\0" not in text else text.translate(_SURROGATES)


def digest_of(text: str) -> dict[str, object]:
    """Return digest and length, which stand for text that is too long for an entry."""
    encoded = text.encode()
    return {"length": len(encoded), "sha256": hashlib.sha256(encoded).hexdigest()}


def _mapping(value: Mapping[object, object]) -> dict[str, object]:
    return {clean(str(key)): plain(item) for key, item in value.items()}


def _text(text: str) -> object:
    if text.isascii() and "\0" not in text and len(text) <= MAX_TEXT_BYTES:
        return text
    return _short(clean(text))


def _same(value: object) -> object:
    return value


def _short(text: str) -> object:
    if len(text) * 4 <= MAX_TEXT_BYTES:  # no character takes more than four bytes
        return text
    return text if len(text.encode()) <= MAX_TEXT_BYTES else digest_of(text)


def _ordered(value: Iterable[object]) -> Iterable[object]:
    return sorted(value, key=str) if isinstance(value, set | frozenset) else value


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _scalar(value.value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return _written(value)


def _integer(value: int) -> int:
    if abs(value) > MAX_INTEGER:
        raise Unserialisable("integers beyond 2**53 are written as text")
    return int(value)


def _written(value: object) -> str:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value / timedelta(microseconds=1):.0f}us"
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise Unserialisable(f"{type(value).__name__} has no written form in entries")


# By exact type, because entries are made of these and every recorded act waits for them.
_QUICK: Final[Mapping[type, Callable[..., object]]] = {
    str: _text,
    dict: _mapping,
    int: _integer,
    bool: _same,
    type(None): _same,
    UUID: str,
}
