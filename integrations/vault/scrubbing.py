"""Take live secrets out of what comes back: an outside system may echo what it was sent.

A secret is looked for as it is and in its common encodings. That stops echoes and careless error
pages, not a system that wants to give the secret away: it has it.
"""

import base64
import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from foundation.http import HttpAnswer

MARK = b"[removed]"
_SHORTEST_PART = 6
_PLAIN_ENCODINGS = frozenset({"", "identity"})


def scrubbed(answer: HttpAnswer, secrets: Iterable[str]) -> HttpAnswer:
    """Return an answer without any of the secrets, in headers and body.

    A body that is packed against our request is dropped: it cannot be looked through.
    """
    forms = [form for secret in secrets for form in forms_of(secret)]
    is_plain = answer.headers.get("content-encoding", "").strip().lower() in _PLAIN_ENCODINGS
    return replace(
        answer,
        headers=_clean_headers(answer.headers, forms),
        body=_clean(answer.body, forms) if is_plain else b"",
    )


def forms_of(secret: str) -> tuple[bytes, ...]:
    """Return a secret and its common encodings, the longest first."""
    raw = secret.encode()
    texts = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        raw.hex(),
        raw.hex().upper(),
        *_base64_forms(raw),
    }
    found = {text.encode() for text in texts if len(text) >= _SHORTEST_PART}
    return tuple(sorted(found, key=len, reverse=True))


def _base64_forms(raw: bytes) -> Iterable[str]:
    """Give the part of each encoding that stays the same whatever stands before and after.

    Base64 packs three bytes into four characters, so a secret inside a longer text (``user:key``)
    has three forms; the characters shared with its neighbours are left out.
    """
    for offset, shared in ((0, 0), (1, 2), (2, 3)):
        padded = b"\0" * offset + raw
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(padded).decode().rstrip("=")
            yield text[shared:-1] if len(padded) % 3 else text[shared:]


def _clean_headers(headers: Mapping[str, str], forms: Iterable[bytes]) -> dict[str, str]:
    return {
        _clean(name.encode(), forms).decode(errors="replace"): _clean(
            value.encode(errors="replace"), forms
        ).decode(errors="replace")
        for name, value in headers.items()
    }


def _clean(text: bytes, forms: Iterable[bytes]) -> bytes:
    for form in forms:
        text = text.replace(form, MARK)
    return text
