"""Sealing of bytes for columns that are no Django fields, such as parts of audit entries."""

from uuid import UUID

from encryption import envelope
from encryption.errors import Tampered
from encryption.keyring import keyring
from encryption.types import DATA, Owner


def seal_bytes(*, owner: Owner, label: str, row_id: UUID, plaintext: bytes) -> bytes:
    """Seal bytes in value format v1 for one label and row under the key of an owner.

    Raises:
        Erased: the owner's keys were destroyed.
        KeysUnavailable: the key service or the keys database is away.
    """
    handle = keyring.for_sealing(owner)
    return envelope.seal(
        handle.cipher,
        header=handle.header,
        label=envelope.label_part(label),
        row=row_id.bytes,
        plaintext=plaintext,
    )


def open_bytes(*, owner: Owner, label: str, row_id: UUID, sealed: bytes) -> bytes:
    """Open bytes of ``seal_bytes``.

    Raises:
        Tampered: changed, or sealed for another owner, label or row.
        Erased: the owner's keys were destroyed.
        KeyLost: the key is not in the keys database.
        KeysUnavailable: the key service or the keys database is away.
    """
    handle = keyring.get(envelope.key_id_of(sealed))
    if handle is None:
        raise keyring.why_missing(owner)
    if (handle.owner_id, handle.kind, handle.purpose) != (owner.id, owner.kind, DATA):
        raise Tampered("a sealed value belongs to another owner")
    return envelope.open_sealed(handle.cipher, sealed, envelope.label_part(label) + row_id.bytes)


def preload(sealed_values: "list[bytes]") -> None:
    """Load the keys of many sealed values in one query."""
    keyring.preload(envelope.key_id_of(sealed) for sealed in sealed_values)
