"""The models Django knows; they stand in ``key_tables``, below the sealed fields."""

from encryption.key_tables import (
    BlindIndexEntry,
    DataKey,
    ErasureLedgerEntry,
    IndexKey,
    Installation,
    KekEpoch,
    KekWrap,
    ReplayLedgerEntry,
    Revocation,
    RootVersion,
    SealingKey,
    SigningKey,
)

__all__ = [
    "BlindIndexEntry",
    "DataKey",
    "ErasureLedgerEntry",
    "IndexKey",
    "Installation",
    "KekEpoch",
    "KekWrap",
    "ReplayLedgerEntry",
    "Revocation",
    "RootVersion",
    "SealingKey",
    "SigningKey",
]
