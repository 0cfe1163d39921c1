"""A real key service whose outages a test can choose."""

from dataclasses import dataclass, field
from pathlib import Path

from encryption.providers.base import BadBlob, Context, Health, KeyService, Refused, Unavailable
from encryption.providers.key_file import KeyFile


@dataclass
class Clock:
    """Monotonic seconds that a test moves."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """Return the present second."""
        return self.seconds


@dataclass
class SwitchedService:
    """The key file behind a switch.

    Attributes:
        path: root key file.
        mode: ``up``, ``down``, ``refused`` or ``wrong``.
        calls: how often it was asked to unwrap.
    """

    path: Path
    mode: str = "up"
    calls: int = 0
    inner: KeyService = field(init=False)

    def __post_init__(self) -> None:
        self.inner = KeyFile(self.path)

    @property
    def version(self) -> str:
        """Name of the root version."""
        return self.inner.version

    def version_of(self, blob: bytes) -> str:
        """Name of the root version of a blob."""
        return self.inner.version_of(blob)

    def generate(self, context: Context) -> tuple[bytes, bytes]:
        """Return a new key and its blob."""
        self._answer()
        return self.inner.generate(context)

    def wrap(self, raw: bytes, context: Context) -> bytes:
        """Return a blob."""
        self._answer()
        return self.inner.wrap(raw, context)

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key of a blob."""
        self.calls += 1
        self._answer()
        return self.inner.unwrap(blob, context)

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return the blob anew."""
        return self.inner.rewrap(blob, context)

    def health(self) -> Health:
        """Say how it is."""
        return self.inner.health()

    def _answer(self) -> None:
        if self.mode == "down":
            raise Unavailable("no answer")
        if self.mode == "refused":
            raise Refused("the key is disabled")
        if self.mode == "wrong":
            raise BadBlob("not this key")
