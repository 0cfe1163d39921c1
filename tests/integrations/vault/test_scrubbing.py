import base64
import html
import json
from urllib.parse import quote

import pytest

from foundation.http import HttpAnswer
from integrations.vault.scrubbing import scrubbed
from tests.factories.vault import KEY

ENCODED = {
    "plain": KEY.encode(),
    "url": quote(KEY, safe="").encode(),
    "html": html.escape(KEY).encode(),
    "json": json.dumps({"echo": KEY}).encode(),
    "hex": KEY.encode().hex().encode(),
    "hex capitals": KEY.encode().hex().upper().encode(),
    "base64": base64.b64encode(KEY.encode()),
    "base64 of one more before": base64.b64encode(b"x" + KEY.encode()),
    "base64 of two more before": base64.b64encode(b"xy" + KEY.encode()),
    "base64 of user and key": base64.b64encode(b"user:" + KEY.encode() + b"!"),
    "base64 for addresses": base64.urlsafe_b64encode(b"u:" + KEY.encode()),
}


def answer(body: bytes, **headers: str) -> HttpAnswer:
    return HttpAnswer(status=200, headers=headers, body=body, elapsed_ms=1)


@pytest.mark.parametrize("name", list(ENCODED))
def test_an_echoed_secret_is_taken_out_of_the_body(name: str) -> None:
    body = b"before " + ENCODED[name] + b" after"

    cleaned = scrubbed(answer(body), [KEY])

    assert KEY.encode() not in cleaned.body
    assert b"[removed]" in cleaned.body
    assert cleaned.body.startswith(b"before ")
    assert cleaned.body.endswith(b" after")


def test_an_echoed_secret_is_taken_out_of_headers() -> None:
    cleaned = scrubbed(answer(b"", location=f"https://x.example/?k={KEY}"), [KEY])

    assert KEY not in cleaned.headers["location"]


def test_a_packed_body_is_dropped() -> None:
    cleaned = scrubbed(answer(b"\x1f\x8b...", **{"content-encoding": "gzip"}), [KEY])

    assert cleaned.body == b""


def test_an_answer_without_the_secret_is_left_as_it_is() -> None:
    given = answer(b'{"ok": true}', server="x")

    assert scrubbed(given, [KEY]) == given
