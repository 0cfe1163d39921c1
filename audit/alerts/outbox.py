"""The outbox of alerts: rows that say what is due. PostgreSQL is the truth, the broker a hint.

A row is made with its alert. The sweeper enqueues what is due; the task claims a row by lease,
sends and marks. So a task may run twice or never, and the broker may be wiped at any time.
"""

from collections.abc import Sequence
from datetime import timedelta
from random import SystemRandom
from typing import Final
from uuid import UUID

from django.db.models import F, QuerySet

from audit.alerts.channels import channels_for
from audit.models import Alert, AlertDelivery
from audit.models.alerts import DeliveryState
from foundation import clock, leases

LEASE: Final = timedelta(seconds=60)
ENQUEUED_AGAIN: Final = timedelta(seconds=10)
FIRST_DELAY_SECONDS: Final = 0.5
LONGEST_DELAY_SECONDS: Final = 900.0
GIVEN_UP_AFTER: Final = timedelta(hours=72)
SWEPT_AT_ONCE: Final = 200

_random = SystemRandom()


def fill(alert: Alert, *, tell_person: bool, not_by: UUID | None = None) -> None:
    """Make the delivery rows of a new alert: its channels, and the person it is about."""
    channels = channels_for(severity=alert.severity, organisation_id=alert.organisation_id)
    rows = [
        AlertDelivery(alert=alert, channel=channel, idempotency_key=f"{alert.pk}:{channel.pk}")
        for channel in channels
        if channel.pk != not_by
    ]
    if tell_person and alert.subject_id is not None:
        key = f"{alert.pk}:person"
        rows.append(AlertDelivery(alert=alert, recipient=alert.subject_id, idempotency_key=key))
    AlertDelivery.objects.bulk_create(rows)


def take_due() -> Sequence[UUID]:
    """Mark the rows that are due as enqueued and return them.

    A row that nobody claims is due again ten seconds later.
    """
    free = _due().filter(leases.is_free()).order_by("next_at")
    return leases.tell(free, limit=SWEPT_AT_ONCE, again=ENQUEUED_AGAIN)


def claim(delivery_id: UUID) -> AlertDelivery | None:
    """Take a due row for a minute and count the attempt; None where it is not ours to send."""
    due = _due().filter(pk=delivery_id)
    if not leases.take(due, lease=LEASE, attempts=F("attempts") + 1):
        return None
    return AlertDelivery.objects.select_related("alert", "channel").get(pk=delivery_id)


def mark_sent(delivery: AlertDelivery) -> bool:
    """Mark a claimed row as sent; False where another process did."""
    return _finish(delivery, state=DeliveryState.SENT, sent_at=clock.real_now(), last_error="")


def mark_dead(delivery: AlertDelivery, error: str) -> bool:
    """Give a claimed row up; False where another process finished it."""
    return _finish(delivery, state=DeliveryState.DEAD, last_error=error[:200])


def try_again(delivery: AlertDelivery, error: str) -> None:
    """Put a claimed row back, due after a pause that doubles with each attempt."""
    _finish(
        delivery,
        next_at=clock.real_now() + pause(delivery.attempts),
        enqueued_at=None,
        last_error=error[:200],
    )


def is_too_old(delivery: AlertDelivery) -> bool:
    """Say whether a row has been tried for so long that it is given up."""
    return clock.real_now() - delivery.created_at > GIVEN_UP_AFTER


def pause(attempts: int) -> timedelta:
    """Return the pause after so many attempts: 0.5 s doubled, at most 15 min, spread by half."""
    exponent = min(max(attempts - 1, 0), 20)
    seconds = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**exponent)
    return timedelta(seconds=seconds * _random.uniform(0.5, 1.5))


def _due() -> "QuerySet[AlertDelivery]":
    return AlertDelivery.objects.filter(state=DeliveryState.DUE, next_at__lte=clock.real_now())


def _finish(delivery: AlertDelivery, **values: object) -> bool:
    # The lease is the proof that the row is still ours: a slower process changes nothing.
    ours = AlertDelivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.DUE, lease_until=delivery.lease_until
    )
    return ours.update(lease_until=None, **values) == 1
