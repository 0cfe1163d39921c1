"""Erasing an owner: its keys are destroyed, and a ledger says that it was on purpose.

Order: ledger entry, key rows, digests, revocation. Whatever fails after the first step can be
repeated; values of the owner never read as merely lost.
"""

from typing import Final

from django.db import connections, transaction
from django.db.models import Q

from encryption import blind_index, wrapping
from encryption.database import keys_database, lock_for_erasing
from encryption.key_tables import DataKey, ErasureLedgerEntry, ReplayLedgerEntry, Revocation
from encryption.keyring import is_erased, keyring, owner_digest
from encryption.router import DEFAULT, KEYS
from encryption.types import Owner, OwnerKind, ReplayKind
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent

CHANNEL: Final = "gatehouse_revocation"

_DIGEST_BYTES = 32


def erase(owner: Owner) -> None:
    """Destroy all keys of an owner for good; repeating it is harmless.

    The digests of its values go in the caller's transaction on ``default``; the keys go at once.

    Raises:
        KeysUnavailable: the keys database is away; nothing was destroyed.
        ValueError: the owner is a purpose, whose keys serve everybody.
    """
    if owner.kind == OwnerKind.PURPOSE:
        raise ValueError("keys of a purpose have no owner to erase")
    with keys_database():
        ErasureLedgerEntry.objects.using(KEYS).bulk_create(
            [ErasureLedgerEntry(owner_digest=owner_digest(owner), owner_kind=str(owner.kind))],
            ignore_conflicts=True,
        )
        destroyed = _destroy_keys(owner)
    blind_index.forget_owner(owner, using=DEFAULT)
    keyring.forget([wrapping.id_bytes(number) for number in destroyed])
    details = {"owner_kind": str(owner.kind), "keys": str(len(destroyed))}
    key_journal.record(KeyEvent("encryption.owner.erased", details=details))


def was_erased(owner: Owner) -> bool:
    """Say whether an owner's keys were destroyed on purpose."""
    with keys_database():
        return is_erased(owner)


def remember(kind: ReplayKind, digest: bytes) -> None:
    """Note a restriction, withdrawal, objection or kill that a restore must repeat.

    Args:
        kind: what happened.
        digest: SHA-256 of the id it happened to.

    Raises:
        KeysUnavailable: the keys database is away; repeat later.
    """
    if len(digest) != _DIGEST_BYTES:
        raise ValueError("the replay ledger takes SHA-256 digests")
    with keys_database():
        ReplayLedgerEntry.objects.using(KEYS).bulk_create(
            [ReplayLedgerEntry(kind=ReplayKind(kind), digest=digest)], ignore_conflicts=True
        )


def _destroy_keys(owner: Owner) -> list[int]:
    with transaction.atomic(using=KEYS):
        lock_for_erasing(KEYS)
        rows = DataKey.objects.using(KEYS).filter(owned_by(owner)).select_for_update()
        numbers = [row.pk for row in rows]
        DataKey.objects.using(KEYS).filter(pk__in=numbers).delete()
        Revocation.objects.using(KEYS).bulk_create(
            [Revocation(key_id=number) for number in numbers]
        )
        with connections[KEYS].cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    return numbers


def owned_by(owner: Owner) -> Q:
    """Return the condition for the key rows of an owner."""
    return Q(owner_id=owner.id, owner_kind=str(owner.kind))
