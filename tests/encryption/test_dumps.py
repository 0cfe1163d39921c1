"""Texts of sealed values in dumps; the whole way is a rule of its own."""

import pytest

from encryption import dumps


def test_a_text_of_a_dump_gives_its_bytes_again() -> None:
    assert dumps.read(dumps.written(b"\x01\x00\xff")) == b"\x01\x00\xff"


@pytest.mark.parametrize("given", [None, 5, "plain", "sealed:not base64!", "sealed:AA", "sealed:é"])
def test_anything_else_gives_nothing(given: object) -> None:
    assert dumps.read(given) is None


def test_dumps_are_open_only_where_they_are_asked_for() -> None:
    with dumps.as_stored():
        assert dumps.is_open()
    assert not dumps.is_open()
