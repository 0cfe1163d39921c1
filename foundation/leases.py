"""Leases on rows that say what is due: one worker at a time has a row, a killed one loses it.

A worker takes the row, does the work outside of a transaction and marks the row as done. When it
is killed or the work fails, the lease runs out and a sweep finds the row again. So work may be
done twice and is never lost. Leases are on real time (``foundation.clock``).

The row has a column ``lease_until``.
"""

from datetime import timedelta
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from foundation import clock

Row = TypeVar("Row", bound=Model)

LEASE = timedelta(minutes=2)
"""Longer than a mail server may take to answer (``EMAIL_TIMEOUT``), for a few addresses."""


def is_free() -> Q:
    """Return the condition that no worker has a row."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=clock.real_now())


def take(rows: "QuerySet[Row]") -> bool:
    """Take the one row of a query; False where it is not due or another worker has it.

    Args:
        rows: filtered by columns of its own table alone: only those PostgreSQL compares once more
            after it has waited for another worker's update.
    """
    return rows.filter(is_free()).update(lease_until=clock.real_now() + LEASE) == 1
