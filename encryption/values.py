"""Sealed values as they lie in memory: ciphertext, and where it stands."""

import hashlib
from collections.abc import Mapping
from typing import Final, NoReturn
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


class Waiting:
    """A value in clear that waits for ``save``, which seals it; it does not show itself."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<Sealed>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a value that is not sealed yet is not pickled")


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

    def row_name(self) -> str:
        """Return the key of the row in text; empty where the value is bound to none."""
        return "" if self.row is None else str(UUID(bytes=self.row.key))

    def digest(self) -> str:
        """Return the SHA-256 of the stored bytes, which exposes an old value put back."""
        return hashlib.sha256(self.ciphertext).hexdigest()

    def __repr__(self) -> str:
        return "<Sealed>"

    def __reduce__(self) -> tuple[type["Sealed"], tuple[bytes, bytes, Row | None]]:
        return Sealed, (self.ciphertext, self.label, self.row)
