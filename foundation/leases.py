"""Leases on rows that say what is due: one worker at a time has a row, a killed one loses it.

A worker takes the row, does the work outside of a transaction and marks the row as done; long work
renews the lease as it goes. When the worker is killed or the work fails, the lease runs out and a
sweep finds the row again. So work may be done twice and is never lost. Leases are on real time
(``foundation.clock``).

The row has a column ``lease_until``; where a sweep tells workers of rows by the broker, also
``enqueued_at``. The row is the truth, the broker a hint: it may be wiped at any time.
"""

from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from foundation import clock

Row = TypeVar("Row", bound=Model)

LEASE = timedelta(minutes=2)
"""Longer than a mail server may take to answer (``EMAIL_TIMEOUT``), for a few addresses."""

TOLD_AGAIN = timedelta(seconds=60)
"""When a worker is told once more of a row that nobody took."""


def is_free() -> Q:
    """Return the condition that no worker has a row."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=clock.real_now())


def end(lease: timedelta = LEASE) -> datetime:
    """Return when a lease ends that begins or is renewed now."""
    return clock.real_now() + lease


def take(rows: "QuerySet[Row]", *, lease: timedelta = LEASE, **changes: object) -> bool:
    """Take the one row of a query; False where it is not due or another worker has it.

    Args:
        rows: filtered by columns of its own table alone: only those PostgreSQL compares once more
            after it has waited for another worker's update.
        lease: how long the row is the worker's.
        changes: what else is written into a row that is taken.
    """
    return rows.filter(is_free()).update(lease_until=end(lease), **changes) == 1


def tell(rows: "QuerySet[Row]", *, limit: int, again: timedelta = TOLD_AGAIN) -> tuple[UUID, ...]:
    """Mark rows of which no worker was told lately as told now, and return their ids.

    The caller tells the workers; of a row that was marked and not told, they are told later. Two
    sweeps at once share the rows.

    Args:
        rows: what is due, in the order in which it is told.
        limit: how many rows at most.
        again: after how long workers are told once more.
    """
    told_at = clock.real_now()
    untold = Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=told_at - again)
    with transaction.atomic(using=rows.db):
        locked = rows.filter(untold).select_for_update(skip_locked=True, of=("self",))
        found = tuple(row.pk for row in locked.only("pk")[:limit])
        told = rows.model._base_manager.using(rows.db).filter(pk__in=found)  # noqa: SLF001  Django's
        told.update(enqueued_at=told_at)
    return found
