import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from audit.anomaly import attempts
from audit.anomaly.evaluation import evaluate
from audit.cursors import JournalEntry
from audit.events import Severity
from audit.models import Alert, AlertDelivery, DetectionAttempt
from foundation.identifiers import uuid7

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOME = "198.51.100.0/24"
STRANGE = "203.0.113.0/24"


def attempt(
    after: timedelta = timedelta(0),
    *,
    subject: UUID | None = None,
    identifier: str = "",
    net: str = STRANGE,
    succeeded: bool = False,
) -> JournalEntry:
    """Return the entry of one try to sign in."""
    details = {"identifier": identifier} if identifier else {}
    return JournalEntry(
        event_id=uuid7(),
        epoch=1,
        xid=1,
        seq=1,
        occurred_at=START + after,
        type="accounts.sign_in.succeeded" if succeeded else "accounts.sign_in.failed",
        outcome="success" if succeeded else "failure",
        severity=1,
        organisation_id=None,
        actor_type="user" if succeeded else "visitor",
        actor_id=subject if succeeded else None,
        target_type="person" if subject else None,
        target_id=str(subject) if subject else None,
        net=net,
        body=json.dumps({"details": details}),
    )


def failures(
    count: int, *, subject: UUID | None = None, identifier: str = ""
) -> list[JournalEntry]:
    """Return failures a second apart."""
    return [
        attempt(timedelta(seconds=number), subject=subject, identifier=identifier)
        for number in range(count)
    ]


@pytest.mark.parametrize(("count", "alerts"), [(4, 0), (5, 1), (6, 1)])
def test_five_failures_on_one_account_are_an_alert(count: int, alerts: int) -> None:
    evaluate(failures(count, subject=uuid7()))

    assert Alert.objects.filter(rule="D01").count() == alerts


def test_the_sixth_failure_counts_on_the_same_case() -> None:
    evaluate(failures(6, subject=uuid7()))

    alert = Alert.objects.get()
    assert (alert.count, alert.severity, alert.facts["failures"]) == (2, Severity.MEDIUM, 6)


def test_a_new_case_begins_when_the_last_one_is_older_than_ten_minutes() -> None:
    alice = uuid7()
    evaluate(failures(5, subject=alice))

    evaluate([attempt(timedelta(minutes=10, seconds=3), subject=alice)])
    assert Alert.objects.count() == 1
    evaluate([attempt(timedelta(minutes=21, seconds=n), subject=alice) for n in range(5)])

    assert Alert.objects.count() == 2


@pytest.mark.parametrize(("seconds", "alerts"), [(899, 1), (900, 0), (901, 0)])
def test_the_window_of_fifteen_minutes_has_a_sharp_edge(seconds: int, alerts: int) -> None:
    alice = uuid7()
    evaluate([attempt(subject=alice)])

    evaluate([attempt(timedelta(seconds=seconds), subject=alice) for _ in range(4)])

    assert Alert.objects.count() == alerts


def test_a_success_in_between_starts_the_count_anew() -> None:
    alice = uuid7()
    evaluate(failures(4, subject=alice))
    evaluate([attempt(timedelta(seconds=10), subject=alice, succeeded=True, net=HOME)])

    evaluate([attempt(timedelta(seconds=20 + n), subject=alice) for n in range(4)])

    assert not Alert.objects.filter(rule="D01").exists()


def test_failures_from_any_network_count_for_the_account() -> None:
    alice = uuid7()

    evaluate(
        [attempt(timedelta(seconds=n), subject=alice, net=f"203.0.{n}.0/24") for n in range(5)]
    )

    assert Alert.objects.get().facts["networks"] == 5


def test_an_identifier_that_nobody_owns_is_counted_by_its_digest() -> None:
    evaluate(failures(5, identifier="ab" * 16))

    alert = Alert.objects.get()
    assert alert.subject_id is None
    assert not AlertDelivery.objects.filter(recipient__isnull=False).exists()


def test_two_accounts_do_not_add_up() -> None:
    evaluate([*failures(4, subject=uuid7()), *failures(4, subject=uuid7())])

    assert not Alert.objects.exists()


@pytest.mark.parametrize(("count", "rules"), [(4, set()), (5, {"D01", "D06"})])
def test_a_success_from_a_new_network_after_five_failures_is_critical(
    count: int, rules: set[str]
) -> None:
    alice = uuid7()
    evaluate([attempt(timedelta(days=-1), subject=alice, succeeded=True, net=HOME)])
    evaluate(failures(count, subject=alice))

    evaluate([attempt(timedelta(minutes=1), subject=alice, succeeded=True)])

    assert set(Alert.objects.values_list("rule", flat=True)) == rules
    for alert in Alert.objects.filter(rule="D06"):
        assert alert.severity == Severity.CRITICAL
        assert alert.deliveries.filter(recipient=alice).count() == 1


def test_a_forgotten_passphrase_on_the_own_network_is_low_and_mails_nobody() -> None:
    alice = uuid7()
    evaluate([attempt(timedelta(days=-1), subject=alice, succeeded=True, net=HOME)])
    evaluate(failures(5, subject=alice))
    before = AlertDelivery.objects.count()

    evaluate([attempt(timedelta(minutes=1), subject=alice, succeeded=True, net=HOME)])

    assert Alert.objects.get(rule="D06").severity == Severity.LOW
    assert AlertDelivery.objects.count() == before


@pytest.mark.parametrize(("minutes", "alerts"), [(179, 1), (181, 0)])
def test_a_success_three_hours_later_is_no_longer_counted(minutes: int, alerts: int) -> None:
    alice = uuid7()
    evaluate(failures(5, subject=alice))

    evaluate([attempt(timedelta(minutes=minutes), subject=alice, succeeded=True)])

    assert Alert.objects.filter(rule="D06").count() == alerts


def test_the_same_entries_read_twice_count_once() -> None:
    tries = failures(4, subject=uuid7())

    evaluate(tries)
    evaluate(tries)

    assert DetectionAttempt.objects.count() == 4
    assert not Alert.objects.exists()


@pytest.mark.parametrize("setting", [3, 10])
def test_the_threshold_is_a_setting(settings: object, setting: int) -> None:
    settings.DETECTION_D01_FAILURES = setting  # type: ignore[attr-defined]  # the fixture
    alice = uuid7()

    evaluate(failures(setting - 1, subject=alice))
    assert not Alert.objects.exists()
    evaluate([attempt(timedelta(minutes=1), subject=alice)])

    assert Alert.objects.count() == 1


def test_tries_are_kept_thirty_days() -> None:
    evaluate([attempt(subject=uuid7())])

    assert attempts.forget_old(START + timedelta(days=30)) == 0
    assert attempts.forget_old(START + timedelta(days=30, seconds=1)) == 1
