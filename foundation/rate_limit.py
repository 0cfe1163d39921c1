"""Count attempts in Valkey, over a window that slides, shared by all nodes.

The count is exact: a sorted set of the moments of the counted attempts, trimmed, counted and
added to by one script, so two nodes cannot both take the last place. The clock is Valkey's.
Every key ends by itself. Refused attempts are not counted: who waits gets in again.
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from foundation.errors import Unavailable

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5

_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local window = tonumber(ARGV[2]) * 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
local allowed = 0
if used < tonumber(ARGV[1]) then
  allowed = 1
end
if allowed == 1 and ARGV[3] ~= '' then
  used = used + 1
  redis.call('ZADD', KEYS[1], now, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) * 1000 + 1000)
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local free_in = window
if oldest[2] then free_in = tonumber(oldest[2]) + window - now end
return {allowed, used, math.ceil(free_in / 1000)}
"""


class CounterUnavailable(Unavailable):
    """The cache does not answer; callers refuse the attempt."""

    code = "rate_limit.counter_unavailable"


@dataclass(frozen=True)
class Verdict:
    """What the counter says about one attempt.

    Attributes:
        is_allowed: the attempt was within the limit.
        remaining: attempts left in the window after this one, if it was counted.
        free_in_seconds: until the oldest counted attempt leaves the window; at least 1.
    """

    is_allowed: bool
    remaining: int
    free_in_seconds: int


def allow(key: str, *, limit: int, window_seconds: int) -> bool:
    """Count one attempt and say whether it is within the limit.

    Args:
        key: what is counted, free of personal data (a digest of an address, not the address).
        limit: attempts allowed in any window of that length.
        window_seconds: length of the window, which slides.

    Raises:
        CounterUnavailable: the cache does not answer; callers refuse the attempt.
    """
    return take(key, limit=limit, window_seconds=window_seconds).is_allowed


def take(key: str, *, limit: int, window_seconds: int) -> Verdict:
    """Count one attempt like :func:`allow` and say what is left.

    Raises:
        CounterUnavailable: the cache does not answer.
    """
    return _asked(key, limit, window_seconds, counted_as=secrets.token_hex(8))


def look(key: str, *, limit: int, window_seconds: int) -> Verdict:
    """Say whether one more attempt would be within the limit, and count nothing.

    For limits on what fails: looked at before, taken from after the failure. Attempts that run at
    the same moment all pass the look.

    Raises:
        CounterUnavailable: the cache does not answer; callers refuse the attempt.
    """
    return _asked(key, limit, window_seconds, counted_as="")


def forget(key: str) -> None:
    """Drop what was counted under a key, as after a success.

    Raises:
        CounterUnavailable: the cache does not answer.
    """
    try:
        _client(settings.VALKEY_URL).delete(_name(key))
    except (redis.RedisError, OSError) as error:
        raise CounterUnavailable("The counter of requests does not answer.") from error


def _asked(key: str, limit: int, window_seconds: int, *, counted_as: str) -> Verdict:
    """Ask the script; it counts the attempt where that has a name."""
    client = _client(settings.VALKEY_URL)
    try:
        script = client.register_script(_SCRIPT)
        answer = script(keys=[_name(key)], args=[limit, window_seconds, counted_as])
    except (redis.RedisError, OSError) as error:
        raise CounterUnavailable(
            "The counter of requests does not answer. Please try again shortly.",
            retry_after=RETRY_AFTER_SECONDS,
        ) from error
    allowed, used, free_in_ms = cast("list[int]", answer)
    return Verdict(
        is_allowed=bool(allowed),
        remaining=max(0, limit - used),
        free_in_seconds=max(1, -(-free_in_ms // 1000)),
    )


def _name(key: str) -> str:
    # Hashed so that no caller's key can reach another name space or hold a control character.
    return "rate:" + hashlib.sha256(key.encode()).hexdigest()[:40]


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )
