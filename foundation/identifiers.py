"""Identifiers: time-ordered UUIDs made in Python, so that they exist before the first INSERT."""

import secrets
import time
from typing import NewType
from uuid import UUID

OrganisationId = NewType("OrganisationId", UUID)
UserId = NewType("UserId", UUID)
SubjectId = NewType("SubjectId", UUID)

_VERSION_7 = 0x7
_VARIANT_RFC9562 = 0b10


def uuid7() -> UUID:
    """Return a new UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random_a = secrets.randbits(12)
    random_b = secrets.randbits(62)
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= _VERSION_7 << 76 | random_a << 64 | _VARIANT_RFC9562 << 62 | random_b
    return UUID(int=value)


def parse_uuid(text: str) -> UUID | None:
    """Return the UUID a text holds, or None where it holds none."""
    try:
        return UUID(text)
    except ValueError:
        return None
