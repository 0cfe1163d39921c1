"""The interface of every key service (encryption.md 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import jcs  # type: ignore[import-untyped]  # it has no stubs
import orjson

Context = Mapping[str, str | int]

KEY_BYTES = 32


class KeyServiceError(Exception):
    """Parent of what a key service can answer instead of a key."""


class Unavailable(KeyServiceError):
    """No answer: retry, and serve from the cache meanwhile."""


class Refused(KeyServiceError):
    """The service answers and says no: drop all keys."""


class BadBlob(KeyServiceError):
    """The blob was not made by this key for this context: alert."""


@dataclass(frozen=True, slots=True)
class Health:
    """Result of wrapping and unwrapping a probe."""

    works: bool
    problem: str = ""


class KeyService(Protocol):
    """Wraps and unwraps key-encryption keys; the root key never leaves it."""

    @property
    def version(self) -> str:
        """Name of the root version that wraps new blobs."""
        ...

    def generate(self, context: Context) -> tuple[bytes, bytes]:
        """Return a new key of 32 bytes and its blob."""
        ...

    def wrap(self, raw: bytes, context: Context) -> bytes:
        """Return the blob of a key."""
        ...

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key of a blob.

        Raises:
            Unavailable: the service does not answer.
            Refused: the service does not let us use the key.
            BadBlob: another key or context, or a changed blob.
        """
        ...

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return a blob of the same key under the present root version."""
        ...

    def health(self) -> Health:
        """Wrap and unwrap a probe."""
        ...


def canonical(context: Context) -> bytes:
    """Return the bytes of a context that are bound to a blob (RFC 8785).

    The quick encoder writes the same bytes for ASCII; a list of people unwraps a key for each.
    """
    encoded = orjson.dumps(context, option=orjson.OPT_SORT_KEYS)
    return encoded if encoded.isascii() else bytes(jcs.canonicalize(dict(context)))
