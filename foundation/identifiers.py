"""Identifiers: time-ordered UUIDs made in Python, so that they exist before the first INSERT."""

import secrets
import threading
import time
from typing import NewType
from uuid import UUID

OrganisationId = NewType("OrganisationId", UUID)
UserId = NewType("UserId", UUID)
SubjectId = NewType("SubjectId", UUID)

_VERSION_7 = 0x7
_VARIANT_RFC9562 = 0b10
_FRACTION_BITS = 12

_last = 0
_lock = threading.Lock()


def uuid7() -> UUID:
    """Return a new UUID of version 7 (RFC 9562, 5.7), greater than all this process made before.

    48 bits of milliseconds, 12 bits of their fraction (6.2, method 3), 62 random bits.
    """
    ticks = _next_ticks()
    milliseconds, fraction = ticks >> _FRACTION_BITS, ticks & ((1 << _FRACTION_BITS) - 1)
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= _VERSION_7 << 76 | fraction << 64 | _VARIANT_RFC9562 << 62 | secrets.randbits(62)
    return UUID(int=value)


def _next_ticks() -> int:
    """Return the time in 1/4096 ms, or one tick more than the last where it has not moved on."""
    global _last  # noqa: PLW0603  one clock for the process, behind its lock
    ticks = (time.time_ns() << _FRACTION_BITS) // 1_000_000
    with _lock:
        _last = max(ticks, _last + 1)
        return _last


def parse_uuid(text: str) -> UUID | None:
    """Return the UUID a text holds, or None where it holds none."""
    try:
        return UUID(text)
    except ValueError:
        return None
