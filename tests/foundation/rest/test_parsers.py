import io
import json
import time
from contextlib import suppress

import pytest

from foundation.rest.parsers import Malformed, StrictJsonParser, TooLarge, parse_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, true, null, "x"]} ', {"a": [1, 2.5, True, None, "x"]}),
        ('{"ü": "\\ud83d\\ude00 \\u00fc"}'.encode(), {"ü": "😀 ü"}),
        (b'{"a": "\\\\\\"[[[[[[[[[[[[[[[[[[[[[[[[["}', {"a": '\\"' + "[" * 25}),
        (b'{"a": -0.0}', {"a": -0.0}),
    ],
)
def test_sound_json_is_read(body: bytes, value: object) -> None:
    assert parse_json(body) == value


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (b"", "", "Line 1"),
        (b"{", "", "Line 1"),
        (b"{'a': 1}", "", "column 2"),
        (b'{"a": 1,}', "", "Line 1"),
        (b'{"a": 1} x', "", "Line 1"),
        (b'{"a": 1\n"b": 2}', "", "Line 2"),
        (b'{"a": NaN}', "", "NaN"),
        (b'{"a": -Infinity}', "", "Infinity"),
        (b'{"a": 1e999}', "", "too large"),
        (b'{"a": ' + b"9" * 500 + b"}", "", "too large"),
        (b'{"a": 1, "a": 2}', "/a", "twice"),
        (b'{"x": {"a/b": 1, "a/b": 2}}', "/a~1b", "twice"),
        (b'{"x": ["ok", "a\\u0000b"]}', "/x/1", "NUL"),
        (b'{"x": {"y~": "\\ud800"}}', "/x/y~0", "surrogate"),
        (b'{"x": "\\udc00\\ud800"}', "/x", "surrogate"),
        (b'{"a\\u0000": 1}', "", "NUL"),
        (b'{"a": "\x01"}', "", "control"),
        (b'\xef\xbb\xbf{"a": 1}', "", "byte order mark"),
        (b'{"a": "\xff"}', "", "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "", "not UTF-8"),
        (b"[" * 21 + b"]" * 21, "", "20 levels"),
        (b"[" * 500_000, "", "20 levels"),
        (b'{"a":' * 100_000, "", "20 levels"),
        (b'{"a": 0x10}', "", "Line 1"),
    ],
)
def test_unsound_json_is_refused_with_its_place(body: bytes, pointer: str, words: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_json(body)

    (error,) = refusal.value.errors
    assert (refusal.value.reason_code, error.pointer) == ("malformed_json", pointer)
    assert words in error.detail


@pytest.mark.parametrize("end", [b"", b"\\", b'"'])
def test_a_long_text_of_escaped_quotes_costs_no_more_than_its_length(end: bytes) -> None:
    body = b'"' + b'\\"' * 200_000 + end
    started = time.process_time()

    with suppress(Malformed):
        parse_json(body)

    assert time.process_time() - started < 2  # the square of the length would take half an hour


def test_the_standard_parser_takes_what_we_refuse() -> None:
    assert json.loads(b'{"a": 1, "a": 2}') == {"a": 2}
    assert json.loads(b'{"a": "\\ud800"}') == {"a": "\ud800"}
    assert json.loads(b'{"a": 1e999}') == {"a": float("inf")}


def test_depth_of_twenty_is_taken() -> None:
    assert parse_json(b"[" * 20 + b"]" * 20)


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1])
def test_body_is_taken_up_to_one_mebibyte(size: int) -> None:
    body = b'{"a": "' + b"x" * (size - 9) + b'"}'

    if size <= 1024 * 1024:
        assert parse_json(body)
        return
    with pytest.raises(TooLarge):
        parse_json(body)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"true"])
def test_body_of_a_request_is_an_object(body: bytes) -> None:
    with pytest.raises(Malformed):
        StrictJsonParser().parse(io.BytesIO(body))

    assert StrictJsonParser().parse(io.BytesIO(b'{"a": 1}')) == {"a": 1}
