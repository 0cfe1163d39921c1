"""Leases: who works on a row, and which rows were forgotten.

A worker owns a row until its lease ends and renews it as it goes; when it is killed, the lease
runs out and a sweep tells a worker once more. Leases are on real time (``foundation.clock``).
"""

from datetime import datetime, timedelta

from django.db.models import Q

from foundation import clock

LEASE = timedelta(minutes=2)
REMIND_AFTER = timedelta(seconds=60)


def end() -> datetime:
    """Return when a lease ends that begins or is renewed now."""
    return clock.real_now() + LEASE


def is_free() -> Q:
    """Return the condition that no worker owns a row."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=clock.real_now())


def is_forgotten(prefix: str = "") -> Q:
    """Return the condition that no worker was told of a row lately.

    Args:
        prefix: path to the row that holds ``enqueued_at``.
    """
    lately = clock.real_now() - REMIND_AFTER
    never = Q(**{f"{prefix}enqueued_at__isnull": True})
    return never | Q(**{f"{prefix}enqueued_at__lt": lately})
