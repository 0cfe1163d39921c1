from datetime import timedelta

import pytest
from django.db.models import QuerySet

from accounts.models import SecurityNotice
from accounts.types import NoticeKind
from foundation import clock, leases
from tests.factories.accounts import Browser


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


def test_what_is_not_due_is_not_taken(rows: QuerySet[SecurityNotice]) -> None:
    assert not leases.take(rows.filter(sent_at__isnull=False))
