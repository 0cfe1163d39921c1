"""What a restore has to repeat in the key store's own part of the data: digests of the erased.

A restored database is older than the ledger beside it. The values of erased owners are dead, for
their keys are not in the current key store; their blind-index rows came back with the data and
would still show who shared a value with whom.
"""

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from encryption import blind_index
from encryption.database import keys_database
from encryption.key_tables import BlindIndexEntry, ErasureLedgerEntry
from encryption.keyring import owner_digest
from encryption.router import DEFAULT, KEYS
from encryption.types import Owner, OwnerKind

CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was found and done.

    Attributes:
        ledger: owners that the erasure ledger lists.
        owners: erased owners that the blind index still knew.
        digests: their rows, which were deleted.
    """

    ledger: int
    owners: int
    digests: int


def replay_erasures(*, chunk_size: int = CHUNK) -> Replayed:
    """Delete the digests of all owners that the erasure ledger lists; repeating it is harmless.

    Args:
        chunk_size: how many owners are looked up in the ledger at once.

    Raises:
        KeysUnavailable: the keys database is away; what was deleted stays deleted.
    """
    owners = digests = 0
    for chunk in _chunks(_indexed_owners(), chunk_size):
        for owner in erased_among(chunk):
            owners += 1
            digests += blind_index.forget_owner(owner, using=DEFAULT)
    with keys_database():
        ledger = ErasureLedgerEntry.objects.using(KEYS).count()
    return Replayed(ledger=ledger, owners=owners, digests=digests)


def erased_among(owners: Collection[Owner]) -> set[Owner]:
    """Return those of some owners that the erasure ledger lists, by one query.

    Raises:
        KeysUnavailable: the keys database is away.
    """
    by_digest = {owner_digest(owner): owner for owner in owners}
    with keys_database():
        found = ErasureLedgerEntry.objects.using(KEYS).filter(owner_digest__in=list(by_digest))
        return {by_digest[bytes(value)] for value in found.values_list("owner_digest", flat=True)}


def _indexed_owners() -> Iterator[Owner]:
    rows = BlindIndexEntry.objects.using(DEFAULT).values_list("owner_kind", "owner")
    for kind, owner_id in rows.order_by("owner_kind", "owner").distinct().iterator(CHUNK):
        yield Owner(OwnerKind(kind), owner_id)


def _chunks(owners: Iterator[Owner], size: int) -> Iterator[list[Owner]]:
    while chunk := list(itertools.islice(owners, size)):
        yield chunk
