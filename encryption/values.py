"""Sealed values as they lie in memory: ciphertext, and where it stands."""

import hashlib
from collections.abc import Mapping
from typing import Final
from uuid import UUID

UNOPENED: Final = object()


class Row:
    """The row a value was read from or sealed for: its key and its owners at that time."""

    __slots__ = ("key", "owners")

    def __init__(self, key: bytes, owners: dict[str, UUID | None]) -> None:
        self.key = key
        self.owners = owners

    def __reduce__(self) -> tuple[type["Row"], tuple[bytes, Mapping[str, UUID | None]]]:
        return Row, (self.key, self.owners)


class Sealed:
    """A sealed value that is opened on first touch of its field.

    It prints as ``<Sealed>``, is pickled without plaintext, and remembers its original row.
    """

    __slots__ = ("ciphertext", "encoded", "label", "row", "value")

    def __init__(self, ciphertext: bytes, label: bytes, row: Row | None = None) -> None:
        self.ciphertext = ciphertext
        self.label = label
        self.row = row
        self.value: object = UNOPENED
        self.encoded: bytes | None = None

    def digest(self) -> str:
        """Return the SHA-256 of the stored bytes, which exposes an old value put back."""
        return hashlib.sha256(self.ciphertext).hexdigest()

    def __repr__(self) -> str:
        return "<Sealed>"

    def __reduce__(self) -> tuple[type["Sealed"], tuple[bytes, bytes, Row | None]]:
        return Sealed, (self.ciphertext, self.label, self.row)
