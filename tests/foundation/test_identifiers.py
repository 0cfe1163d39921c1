"""Identifiers are of version 7 and in the order in which they were made."""

import threading
import time

import pytest

from foundation.identifiers import parse_uuid, uuid7


def test_identifiers_say_version_and_time() -> None:
    before = time.time_ns() // 1_000_000
    value = uuid7()
    after = time.time_ns() // 1_000_000

    assert value.version == 7
    assert value.variant == "specified in RFC 4122"
    assert before <= value.int >> 80 <= after + 1


def test_many_made_at_once_are_in_order_and_differ() -> None:
    made = [uuid7() for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_threads_make_none_twice_and_each_its_own_in_order() -> None:
    found: list[list[object]] = []

    def make() -> None:
        made = [uuid7() for _ in range(2_000)]
        assert made == sorted(made)
        found.append(list(made))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({value for made in found for value in made}) == 8_000


def test_a_clock_set_back_changes_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 1)

    assert uuid7() > first


def test_only_identifiers_parse() -> None:
    value = uuid7()
    assert parse_uuid(str(value)) == value
    assert parse_uuid("unknown") is None
