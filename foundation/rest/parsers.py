"""Read JSON strictly: what two programs could read differently is refused.

Limits (integrations.md 1): 1 MiB, depth 20. Refused as well: duplicate members (which of the two
counts is not defined), NUL characters (PostgreSQL cannot store them), lone surrogates (they are
no text), numbers that are none (NaN, Infinity, or too large for a double).
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, NoReturn

from rest_framework.parsers import BaseParser

from foundation.errors import DomainError, FieldError, Invalid

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
MAX_DIGITS = 400

# Possessive, and a text without end is one match: each character is looked at once, else a body of
# quotes alone would cost the square of its length.
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[\[{]|[\]}]', re.DOTALL)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class Malformed(Invalid):
    """The body is not the JSON we take; the pointer says where."""

    code = "malformed_json"


class TooLarge(DomainError):
    """The body is larger than 1 MiB."""

    code = "body_too_large"
    status = 413


class StrictJsonParser(BaseParser):
    """Parser of request bodies."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        parser_context: Mapping[str, object] | None = None,  # noqa: ARG002
    ) -> Mapping[str, object]:
        """Return the object that the body holds.

        Raises:
            Malformed: it holds none that we take.
            TooLarge: it is larger than the limit.
        """
        value = parse_json(stream.read(MAX_BYTES + 1))
        if not isinstance(value, dict):
            raise _malformed("The body is not a JSON object.")
        return value


def parse_json(body: bytes) -> object:
    """Return the value that a body holds; errors as :class:`StrictJsonParser`."""
    if len(body) > MAX_BYTES:
        raise TooLarge("The body is larger than 1 MiB.")
    text = _text(body)
    _check_depth(text)
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_number,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise _malformed(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    for pointer, found in _strings(value, ""):
        if _UNSTORABLE.search(found):
            raise _malformed("A text holds a NUL character or half of a surrogate pair.", pointer)
    return value


def escape_pointer(part: str) -> str:
    """Write a member name as a part of a JSON pointer (RFC 6901, 3)."""
    return part.replace("~", "~0").replace("/", "~1")


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(f"Byte {error.start} is not UTF-8.") from error
    if text.startswith("\ufeff"):
        raise _malformed("The body starts with a byte order mark.")
    return text


def _check_depth(text: str) -> None:
    depth = 0
    for match in _STRUCTURE.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise _malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise _malformed("A member occurs twice in one object.", "/" + escape_pointer(name))
        members[name] = value
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _malformed(f"{name} is no JSON number.")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _malformed("A number is too large.")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _malformed("A number is too large.")
    return int(text)


def _strings(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _strings(item, f"{pointer}/{position}")
    elif isinstance(value, dict):
        for name, item in value.items():
            path = f"{pointer}/{escape_pointer(name)}"
            yield pointer, name
            yield from _strings(item, path)


def _malformed(detail: str, pointer: str = "") -> Malformed:
    error = FieldError(pointer=pointer, code="malformed", detail=detail)
    return Malformed("The body is not acceptable JSON.", errors=(error,))
