"""The models Django knows; they stand in ``key_tables``, below the sealed fields."""

from encryption.key_tables import (
    BlindIndexEntry,
    DataKey,
    EpochFloor,
    ErasureLedgerEntry,
    IndexKey,
    Installation,
    KekEpoch,
    KekWrap,
    KeyStoreVerification,
    ReplayLedgerEntry,
    Revocation,
    RootVersion,
    RotationRun,
    SealingKey,
    SigningKey,
)

__all__ = [
    "BlindIndexEntry",
    "DataKey",
    "EpochFloor",
    "ErasureLedgerEntry",
    "IndexKey",
    "Installation",
    "KekEpoch",
    "KekWrap",
    "KeyStoreVerification",
    "ReplayLedgerEntry",
    "Revocation",
    "RootVersion",
    "RotationRun",
    "SealingKey",
    "SigningKey",
]
