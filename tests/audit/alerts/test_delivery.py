import smtplib
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend

from audit.alerts import channels, delivery, outbox
from audit.alerts.services import Occasion, close, raise_alert, take_in_hand
from audit.anomaly.rules import Finding
from audit.errors import ReasonMissing
from audit.events import Severity
from audit.models import Alert, AlertDelivery
from foundation import clock
from foundation.contracts.people import NoticeContact, person_directory
from foundation.errors import Conflict, Invalid
from foundation.identifiers import uuid7
from tests.factories import audit as make

ALICE = uuid7()


class People:
    """Knows Alice alone."""

    def notice_addresses(self, subject_id: UUID) -> NoticeContact:
        """Return Alice's addresses."""
        known = ("alice@example.test",) if subject_id == ALICE else ()
        return NoticeContact(known, "en")


class Failing(EmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, messages: object) -> int:
        """Refuse."""
        raise smtplib.SMTPServerDisconnected(str(messages)[:0])


@pytest.fixture(autouse=True)
def directory() -> Iterator[None]:
    """Put a directory of one person in the place of accounts'."""
    with person_directory.exchanged(People()):
        yield


@pytest.fixture(autouse=True)
def channel() -> None:
    channels.set_addresses(["soc@example.test", "night@example.test"], principal=make.person())


def raised(severity: Severity = Severity.MEDIUM, *, subject: UUID | None = ALICE) -> Alert:
    """Return a new alert with its deliveries."""
    finding = Finding(
        rule="D01",
        severity=severity,
        dedupe_key=f"D01:{uuid7()}",
        subject_id=subject,
        facts={"failures": 5, "minutes": 15, "networks": 1},
        tell_person=True,
    )
    occasion = Occasion(event_id=uuid7(), occurred_at=clock.real_now(), net="203.0.113.0/24")
    return raise_alert(finding, occasion=occasion)


def rows_of(alert: Alert) -> tuple[AlertDelivery, AlertDelivery]:
    """Return the channel's and the person's delivery."""
    return alert.deliveries.get(recipient=None), alert.deliveries.get(channel=None)


def test_an_alert_goes_to_the_channel_and_the_person(mailoutbox: list[EmailMessage]) -> None:
    for row in rows_of(raised()):
        delivery.deliver(row.pk)

    sent = {message.to[0]: message for message in mailoutbox}
    assert set(sent) == {"soc@example.test", "night@example.test", "alice@example.test"}
    assert "Repeated failed sign-ins on one account" in sent["soc@example.test"].subject
    assert "203.0.113.0/24" in sent["soc@example.test"].body
    assert "/account/history/" in sent["alice@example.test"].body
    assert len(make.entries("audit.alert.delivered")) == 2


def test_mails_hold_no_name_and_no_full_address(mailoutbox: list[EmailMessage]) -> None:
    for row in rows_of(raised()):
        delivery.deliver(row.pk)

    text = "".join(message.message().as_string() for message in mailoutbox)
    assert str(ALICE) not in text
    assert "203.0.113.7" not in text


def test_a_task_that_runs_twice_sends_once(mailoutbox: list[EmailMessage]) -> None:
    _, to_person = rows_of(raised())

    delivery.deliver(to_person.pk)
    delivery.deliver(to_person.pk)

    assert len(mailoutbox) == 1
    to_person.refresh_from_db()
    assert (to_person.state, to_person.attempts) == ("sent", 1)


def test_two_workers_at_once_send_once(mailoutbox: list[EmailMessage]) -> None:
    _, to_person = rows_of(raised())

    first, second = outbox.claim(to_person.pk), outbox.claim(to_person.pk)

    assert first is not None
    assert second is None
    delivery.deliver(to_person.pk)
    assert mailoutbox == []


def test_a_worker_that_died_loses_its_lease_and_another_sends(
    mailoutbox: list[EmailMessage],
) -> None:
    _, to_person = rows_of(raised())
    dead = outbox.claim(to_person.pk)
    AlertDelivery.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))

    delivery.deliver(to_person.pk)

    assert len(mailoutbox) == 1
    assert dead is not None
    assert outbox.mark_dead(dead, "too late") is False
    to_person.refresh_from_db()
    assert (to_person.state, to_person.attempts) == ("sent", 2)


def test_a_row_that_was_never_enqueued_or_whose_broker_was_wiped_is_found_again() -> None:
    alert = raised()
    ids = {row.pk for row in rows_of(alert)}

    assert set(outbox.take_due()) == ids
    assert set(outbox.take_due()) == set()
    AlertDelivery.objects.update(enqueued_at=clock.real_now() - timedelta(seconds=11))
    assert set(outbox.take_due()) == ids


def test_the_sweeper_sends_what_is_due_by_name(
    django_capture_on_commit_callbacks: object,
) -> None:
    raised()

    with django_capture_on_commit_callbacks() as callbacks:  # type: ignore[operator]  # fixture
        assert delivery.sweep() is False

    assert len(callbacks) == 2


def test_without_a_mail_server_a_row_waits_longer_each_time(settings: object) -> None:
    settings.EMAIL_BACKEND = "tests.audit.alerts.test_delivery.Failing"  # type: ignore[attr-defined]
    _, to_person = rows_of(raised())

    delivery.deliver(to_person.pk)

    to_person.refresh_from_db()
    assert (to_person.state, to_person.attempts) == ("due", 1)
    assert to_person.last_error == "mail.not_sent"
    assert to_person.next_at > clock.real_now()
    assert to_person.lease_until is None
    delivery.deliver(to_person.pk)
    to_person.refresh_from_db()
    assert to_person.attempts == 1


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    for attempts, seconds in ((1, 0.5), (2, 1), (5, 8), (20, 900), (400, 900)):
        pause = outbox.pause(attempts).total_seconds()
        assert 0.5 * seconds <= pause <= 1.5 * seconds


def test_after_three_days_a_channel_is_given_up_and_another_is_told(settings: object) -> None:
    settings.EMAIL_BACKEND = "tests.audit.alerts.test_delivery.Failing"  # type: ignore[attr-defined]
    channels.set_addresses(["board@example.test"], principal=make.person(), name="board")
    to_channel = raised().deliveries.filter(channel__name="operator").get()
    AlertDelivery.objects.update(created_at=clock.real_now() - timedelta(hours=73))

    delivery.deliver(to_channel.pk)

    to_channel.refresh_from_db()
    assert to_channel.state == "dead"
    told = Alert.objects.get(rule="D19").deliveries.get()
    assert told.channel is not None
    assert told.channel.name == "board"
    assert len(make.entries("audit.alert.given_up")) == 1


def test_a_person_without_an_address_is_given_up_at_once() -> None:
    _, to_person = rows_of(raised(subject=uuid7()))

    delivery.deliver(to_person.pk)

    to_person.refresh_from_db()
    assert (to_person.state, to_person.last_error) == ("dead", "no_address")


def test_low_alerts_mail_no_channel() -> None:
    alert = raised(Severity.LOW, subject=None)

    assert alert.deliveries.count() == 0


def test_addresses_are_sealed_and_checked() -> None:
    stored = channels.set_addresses(["soc@example.test"], principal=make.person())

    assert "example.test" not in stored.destination_sealed
    assert channels.operator_addresses() == ("soc@example.test",)
    for wrong in ([], ["no address"], ["a@example.test\nBcc: b@example.test"]):
        with pytest.raises(Invalid):
            channels.set_addresses(wrong, principal=make.person())


def test_a_case_is_taken_in_hand_and_closed_with_verdict_and_reason() -> None:
    alice = make.person()
    alert = raised()

    assert take_in_hand(alert.pk, principal=alice).assigned_to == alice.subject_id
    with pytest.raises(Invalid):
        close(alert.pk, verdict="", reason="checked by phone", principal=alice)
    with pytest.raises(ReasonMissing):
        close(alert.pk, verdict="false", reason=" ", principal=alice)
    close(alert.pk, verdict="false", reason="checked by phone", principal=alice)

    alert.refresh_from_db()
    assert (alert.state, alert.verdict) == ("closed", "false")
    assert make.last("audit.alert.closed").content["reason"] == "checked by phone"
    with pytest.raises(Conflict):
        take_in_hand(alert.pk, principal=alice)
