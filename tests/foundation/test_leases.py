from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections
from django.db.models import QuerySet

from accounts.models import SecurityNotice
from accounts.types import NoticeKind
from audit.events import Severity
from audit.models import Alert, AlertDelivery
from foundation import clock, leases
from foundation.identifiers import uuid7
from tests.factories.accounts import Browser
from tests.servers import FreshDatabase


@pytest.fixture
def rows(alice: Browser) -> QuerySet[SecurityNotice]:
    notice = SecurityNotice.objects.create(user=alice.user, kind=NoticeKind.ROLE_CHANGED)
    return SecurityNotice.objects.filter(pk=notice.pk)


def test_a_row_is_taken_once(rows: QuerySet[SecurityNotice]) -> None:
    assert leases.take(rows)

    assert not leases.take(rows)
    assert not rows.filter(leases.is_free()).exists()


def test_a_row_of_a_killed_worker_is_free_again(rows: QuerySet[SecurityNotice]) -> None:
    leases.take(rows)
    rows.update(lease_until=clock.real_now() - timedelta(seconds=1))

    assert rows.filter(leases.is_free()).exists()
    assert leases.take(rows)


def test_a_row_is_taken_for_as_long_as_asked_and_with_what_changes(
    rows: QuerySet[SecurityNotice],
) -> None:
    before = clock.real_now()

    assert leases.take(rows, lease=timedelta(hours=1), kind=NoticeKind.PASSWORD_CHANGED)

    row = rows.get()
    assert row.kind == NoticeKind.PASSWORD_CHANGED
    assert row.lease_until is not None
    assert row.lease_until >= before + timedelta(hours=1)


def test_what_is_not_due_is_not_taken(rows: QuerySet[SecurityNotice]) -> None:
    assert not leases.take(rows.filter(sent_at__isnull=False))


def test_workers_are_told_of_a_row_once_and_again_after_a_while() -> None:
    delivery = a_delivery()
    rows = AlertDelivery.objects.order_by("pk")

    first, second = (leases.tell(rows, limit=5) for _turn in range(2))
    rows.update(enqueued_at=clock.real_now() - leases.TOLD_AGAIN - timedelta(seconds=1))
    third = leases.tell(rows, limit=5)

    assert (first, second, third) == ((delivery.pk,), (), (delivery.pk,))


def test_sweeps_at_once_share_the_rows(fresh_database: FreshDatabase) -> None:
    assert fresh_database.environment
    expected = sorted(a_delivery().pk for _turn in range(20))

    def sweep(_turn: int) -> tuple[UUID, ...]:
        try:
            return leases.tell(AlertDelivery.objects.order_by("pk"), limit=20)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        told = [row for found in pool.map(sweep, range(4)) for row in found]

    assert sorted(told) == expected


def a_delivery() -> AlertDelivery:
    moment = clock.real_now()
    alert = Alert.objects.create(
        rule="D01",
        severity=Severity.LOW,
        dedupe_key=uuid7().hex,
        first_event_id=uuid7(),
        last_event_id=uuid7(),
        first_at=moment,
        last_at=moment,
    )
    return AlertDelivery.objects.create(
        alert=alert, recipient=uuid7(), idempotency_key=f"{alert.pk}:person"
    )
