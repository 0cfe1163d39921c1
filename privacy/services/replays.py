"""What a restore has to repeat before anybody is served: erasures (privacy.md 5).

Restored data is older than the key store beside it. What sealed fields of the erased hold is dead
already; their plain columns, and rows that the erasure deleted, came back with the data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from accounts.personal_data.declaring import ERASED_DOMAIN
from audit.services import record
from encryption import services as keys
from encryption.services import Owner, OwnerKind
from foundation import principals
from foundation.contracts.personal_data import personal_data
from privacy.audit_events import ERASURE_REPLAYED
from privacy.services.subjects import subject_of

SYSTEM = principals.system("privacy.replay_erasures")
BATCH = 500


@dataclass(frozen=True, slots=True)
class Replay:
    """What was found and done.

    Attributes:
        index: what was done to the blind index.
        people: erased people whose rows were still as before.
        deleted: rows of theirs that were deleted.
        shredded: rows of theirs that lost their values.
    """

    index: keys.Replayed
    people: int
    deleted: int
    shredded: int


def replay() -> Replay:
    """Erase once more all people that the ledger lists and the data still knows.

    Repeating it is harmless: who has no name and no address left is not touched.

    Raises:
        KeysUnavailable: the keys database is away; repeat it before anybody is served.
    """
    counts = [_erase(user) for user in _came_back()]
    return Replay(
        index=keys.replay_erasures(),
        people=len(counts),
        deleted=sum(deleted for deleted, _ in counts),
        shredded=sum(shredded for _, shredded in counts),
    )


def _came_back() -> Iterator[User]:
    """Give the erased people whose address stands in the data, as it did before."""
    rows = User.objects.exclude(email__endswith=f"@{ERASED_DOMAIN}").order_by("pk")
    after = None
    while batch := list((rows if after is None else rows.filter(pk__gt=after))[:BATCH]):
        after = batch[-1].pk
        yield from _erased(batch)


def _erased(users: Sequence[User]) -> list[User]:
    owners = {Owner(OwnerKind.SUBJECT, user.subject_id): user for user in users}
    return [owners[owner] for owner in keys.erased_among(owners)]


def _erase(user: User) -> tuple[int, int]:
    """Run all handlers, the account last as ever; return rows deleted and shredded."""
    subject, deleted, shredded = subject_of(user), 0, 0
    with transaction.atomic():
        for source in reversed(personal_data.all()):
            if source.handlers is not None:
                count = source.handlers.erase(subject)
                deleted, shredded = deleted + count.deleted, shredded + count.shredded
        counts = {"deleted": deleted, "shredded": shredded}
        record(ERASURE_REPLAYED, principal=SYSTEM, target=user, details=counts)
    return deleted, shredded
