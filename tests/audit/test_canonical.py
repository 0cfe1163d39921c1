from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from uuid import UUID

import jcs  # type: ignore[import-untyped]  # the package carries no types
import pytest

from audit import canonical
from audit.canonical import Unserialisable, encode


def test_keys_are_sorted_and_nothing_is_spaced_as_rfc_8785_says() -> None:
    encoded = encode({"b": 1, "a": [True, None], "€": "ö", "\r": "\n"})

    assert encoded == '{"\\r":"\\n","a":[true,null],"b":1,"€":"ö"}'.encode()


def test_nul_and_lone_surrogates_are_replaced_so_that_every_reader_takes_them() -> None:
    encoded = encode({"agent": "a\0b\ud800c", "k\0": "😀"})

    assert encoded.decode() == '{"agent":"a\ufffdb\ufffdc","k\ufffd":"😀"}'


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), 2**53, -(2**53), object()])
def test_floats_and_numbers_that_a_double_cannot_hold_are_refused(value: object) -> None:
    with pytest.raises(Unserialisable):
        encode({"n": [value]})


def test_times_decimals_ids_and_bytes_are_written_as_text() -> None:
    at = datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=2)))

    encoded = encode(
        [at, date(2026, 3, 1), Decimal("1.10"), UUID(int=1), b"\x00\xff", timedelta(seconds=1)]
    )

    assert encoded.decode() == (
        '["2026-03-01T06:00:00.000000+00:00","2026-03-01","1.10",'
        '"00000000-0000-0000-0000-000000000001","00ff","1000000us"]'
    )
    assert at.astimezone(UTC).hour == 6


def test_a_value_of_a_megabyte_becomes_digest_and_length() -> None:
    encoded = encode({"note": "x" * 1_000_000})

    assert len(encoded) < 200
    assert b'"length":1000000' in encoded


def test_text_at_the_limit_is_kept_and_one_byte_more_is_not() -> None:
    assert canonical.plain("é" * 1024) == "é" * 1024
    assert isinstance(canonical.plain("é" * 1024 + "x"), dict)


def test_our_encoder_writes_the_bytes_of_the_reference() -> None:
    random = Random(8785)  # noqa: S311  the same trees at each run
    alphabet = [*'aZé€"/\\', "\u007f", "\u2028", "\n", "\t", "\x1f", "\ufb33"]
    beyond = [*alphabet, "\U0001f600", "\U00010000", "\uffff"]

    def word(letters: list[str]) -> str:
        return "".join(random.choices(letters, k=random.randrange(6)))

    def tree(letters: list[str], depth: int) -> object:
        kind = random.randrange(6 if depth else 4)
        if kind == 4:
            return [tree(letters, depth - 1) for _ in range(random.randrange(4))]
        if kind == 5:
            return {word(letters): tree(letters, depth - 1) for _ in range(random.randrange(6))}
        return [None, random.random() < 0.5, random.randrange(-(2**53) + 1, 2**53), word(letters)][
            kind
        ]

    for letters in (alphabet, beyond):
        for _ in range(2000):
            value = tree(letters, 4)
            assert encode(value) == jcs.canonicalize(canonical.plain(value))
