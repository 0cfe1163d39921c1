"""What the journal needs every hour: partitions ahead, old days' keys destroyed, old tries gone."""

from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, connections, transaction

from audit.anomaly import attempts
from audit.audit_events import DAY_KEY_DESTROYED
from audit.models import DayKey
from audit.models.entries import READ_ALIAS
from audit.services import Target, record
from encryption import services as keys
from encryption.types import Owner
from foundation import clock
from foundation.principals import system

MONTHS_AHEAD: Final = 3
DAYS_AT_ONCE: Final = 31

_PRINCIPAL: Final = system("journal-housekeeping")


def step() -> bool:
    """Do what is due; say whether days are left to do."""
    make_partitions()
    attempts.forget_old(clock.real_now())
    return destroy_old_day_keys() == DAYS_AT_ONCE


def make_partitions() -> int:
    """Make the partitions of this month and three ahead; return how many were missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions(%s)", [MONTHS_AHEAD])
        (made,) = cursor.fetchone()
    return int(made)


def destroy_old_day_keys() -> int:
    """Destroy the keys of days past ``AUDIT_DAY_KEY_DAYS``; return how many days were done."""
    last_kept = clock.real_now().date() - timedelta(days=settings.AUDIT_DAY_KEY_DAYS)
    first = _first_day_left()
    if first is None:
        return 0
    days = [first + timedelta(days=number) for number in range(DAYS_AT_ONCE)]
    done = [day for day in days if day < last_kept]
    for day in done:
        _destroy(day)
    return len(done)


def _destroy(day: date) -> None:
    # Keys first: a crash in between leaves the day to be done again, which changes nothing.
    keys.erase(Owner.day(day))
    with transaction.atomic():
        DayKey.objects.get_or_create(day=day)
        record(
            DAY_KEY_DESTROYED,
            principal=_PRINCIPAL,
            target=Target("audit.day", day.isoformat()),
            details={"day": day.isoformat()},
        )


def _first_day_left() -> date | None:
    newest = DayKey.objects.order_by("-day").values_list("day", flat=True).first()
    if newest is not None:
        return newest + timedelta(days=1)
    with connections[READ_ALIAS].cursor() as cursor:
        cursor.execute("SELECT min(occurred_at) FROM audit_event")
        (oldest,) = cursor.fetchone()
    return oldest.date() if isinstance(oldest, datetime) else None
