"""The interface of every key service (encryption.md 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from secrets import compare_digest, token_bytes
from typing import Final, Protocol

import jcs  # type: ignore[import-untyped]  # it has no stubs
import orjson

Context = Mapping[str, str | int]

KEY_BYTES: Final = 32
PROBE: Final[Context] = {"app": "gatehouse", "probe": "health"}


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

    def version_of(self, blob: bytes) -> str:
        """Return the name of the root version that wrapped a blob; asks nobody.

        Raises:
            BadBlob: the blob is none of this service.
        """
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


def generated(service: KeyService, context: Context) -> tuple[bytes, bytes]:
    """Return a new key of this process's random numbers and its blob."""
    raw = token_bytes(KEY_BYTES)
    return raw, service.wrap(raw, context)


def probed(service: KeyService) -> Health:
    """Wrap and unwrap a probe."""
    try:
        raw, blob = service.generate(PROBE)
        is_same = compare_digest(service.unwrap(blob, PROBE), raw)
    except KeyServiceError as error:
        return Health(works=False, problem=str(error))
    return Health(works=is_same, problem="" if is_same else "the key service returns another key")
