import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from django.conf import settings as live
from pytest_django import Settings

from foundation import rate_limit
from foundation.rate_limit import CounterUnavailable, allow, forget, look, take


@pytest.fixture
def key() -> str:
    return secrets.token_hex(8)


def test_attempts_up_to_the_limit_are_allowed_and_the_next_is_not(key: str) -> None:
    answers = [allow(key, limit=3, window_seconds=60) for _ in range(5)]

    assert answers == [True, True, True, False, False]


def test_keys_are_counted_apart(key: str) -> None:
    assert allow(key, limit=1, window_seconds=60)
    assert allow(key + "x", limit=1, window_seconds=60)
    assert not allow(key, limit=1, window_seconds=60)


def test_verdict_tells_what_is_left_and_for_how_long(key: str) -> None:
    first, second = (take(key, limit=2, window_seconds=60) for _ in range(2))
    third = take(key, limit=2, window_seconds=60)

    assert (first.remaining, second.remaining, third.remaining) == (1, 0, 0)
    assert (second.is_allowed, third.is_allowed) == (True, False)
    assert 58 <= third.free_in_seconds <= 60


def test_a_look_counts_nothing(key: str) -> None:
    free = [look(key, limit=1, window_seconds=60) for _ in range(3)]
    allow(key, limit=1, window_seconds=60)
    full = look(key, limit=1, window_seconds=60)

    assert [verdict.is_allowed for verdict in free] == [True, True, True]
    assert (full.is_allowed, full.remaining) == (False, 0)
    assert 58 <= full.free_in_seconds <= 60


def test_window_slides_so_that_no_second_holds_two_windows_worth(key: str) -> None:
    assert allow(key, limit=2, window_seconds=1)
    time.sleep(0.6)
    assert allow(key, limit=2, window_seconds=1)
    time.sleep(0.5)

    assert allow(key, limit=2, window_seconds=1)
    assert not allow(key, limit=2, window_seconds=1)


def test_refused_attempts_do_not_prolong_the_wait(key: str) -> None:
    assert allow(key, limit=1, window_seconds=1)
    for _ in range(5):
        time.sleep(0.1)
        assert not allow(key, limit=1, window_seconds=1)
    time.sleep(0.6)

    assert allow(key, limit=1, window_seconds=1)


def test_of_many_attempts_at_once_exactly_the_limit_passes(key: str) -> None:
    answers: list[bool] = []

    def attempt() -> None:
        answers.extend(allow(key, limit=20, window_seconds=60) for _ in range(10))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(answers), sum(answers)) == (80, 20)


def test_counter_ends_by_itself_and_its_name_holds_no_key(key: str) -> None:
    allow("alice@example.test" + key, limit=1, window_seconds=5)
    store = redis.Redis.from_url(live.VALKEY_URL)
    names = [bytes(name) for name in store.scan_iter("rate:*")]

    assert names
    assert not any(b"alice" in name for name in names)
    assert all(store.pttl(name) > 0 for name in names)
    store.close()


def test_success_may_forget_what_was_counted(key: str) -> None:
    allow(key, limit=1, window_seconds=60)

    forget(key)

    assert allow(key, limit=1, window_seconds=60)


@pytest.mark.parametrize("url", ["unix:///nowhere/valkey.sock?db=0", "redis://127.0.0.1:1/0"])
def test_counter_that_is_away_raises_soon(url: str, settings: Settings, key: str) -> None:
    settings.VALKEY_URL = url
    started = time.monotonic()

    with pytest.raises(CounterUnavailable) as failure:
        allow(key, limit=1, window_seconds=60)
    with pytest.raises(CounterUnavailable):
        forget(key)

    assert time.monotonic() - started < 3
    assert (failure.value.status, failure.value.retry_after) == (503, 5)


def test_counter_that_hangs_raises_after_a_second(settings: Settings, key: str) -> None:
    with hanging_server() as port:
        settings.VALKEY_URL = f"redis://127.0.0.1:{port}/0"
        started = time.monotonic()

        with pytest.raises(CounterUnavailable):
            allow(key, limit=1, window_seconds=60)

    assert time.monotonic() - started < 5
    rate_limit._client.cache_clear()


@contextmanager
def hanging_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])
