"""From a wrong passphrase on the sign-in page to the mails, on real connections."""

import time
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from django.urls import reverse

from accounts.models import User
from accounts.types import OrganisationKind
from audit.alerts import channels, delivery, outbox
from audit.models import Alert, AlertDelivery, Cursor, Subject
from audit.reading import run_readers
from tests.factories import accounts
from tests.factories import audit as make
from tests.factories.accounts import Browser

WAIT_SECONDS = 30.0


def wait_until(condition: Callable[[], bool]) -> None:
    """Run the readers until a condition holds; other databases may hold the horizon."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        run_readers()
        time.sleep(0.05)


def guess(user: User, times: int) -> None:
    """Try wrong passphrases on the sign-in page."""
    browser = Browser()
    for number in range(times):
        browser.post(
            reverse("account_login"),
            {"login": user.email, "password": f"wrong passphrase {number}"},
        )


@pytest.mark.usefixtures("fresh_database")
def test_five_wrong_passphrases_mail_the_operator_and_the_person(
    mailoutbox: list[EmailMessage],
) -> None:
    alice = accounts.enrolled(accounts.organisation(), email="alice@example.test").user
    channels.set_addresses(["soc@example.test"], principal=make.person())
    mailoutbox.clear()

    guess(alice, 5)
    wait_until(Alert.objects.exists)
    for delivery_id in outbox.take_due():
        delivery.deliver(delivery_id)

    alert = Alert.objects.get()
    assert (alert.rule, alert.subject_id) == ("D01", alice.subject_id)
    assert {row.state for row in AlertDelivery.objects.all()} == {"sent"}
    assert {address for mail in mailoutbox for address in mail.to} == {
        "soc@example.test",
        "alice@example.test",
    }
    assert len(make.entries("accounts.sign_in.failed")) == 5


@pytest.mark.usefixtures("fresh_database")
def test_four_wrong_passphrases_mail_nobody() -> None:
    alice = accounts.enrolled(accounts.organisation(), email="alice@example.test").user

    guess(alice, 4)
    last = make.last("accounts.sign_in.failed")
    assert last.target_id == str(alice.subject_id)
    wait_until(lambda: _read_up_to(last.seq))

    assert not Alert.objects.exists()


def test_a_person_stands_in_the_journals_list_of_subjects(alice: Browser) -> None:
    assert Subject.objects.get(pk=alice.user.subject_id).principal_id == alice.user.pk


def test_pages_of_the_journal_are_for_those_with_the_right(
    ada: Browser, alice: Browser, visitor: Browser
) -> None:
    assert ada.get(reverse("audit:log")).status_code == 200
    assert ada.get(reverse("audit:alerts")).status_code == 200
    assert alice.get(reverse("audit:log")).status_code == 403
    assert alice.get(reverse("audit:alerts")).status_code == 403
    assert alice.get(reverse("audit:history")).status_code == 200
    assert visitor.get(reverse("audit:history")).status_code == 302


def test_the_security_officer_opens_personal_parts_with_a_reason(alice: Browser) -> None:
    officer = accounts.browser(
        "security_officer", kind=OrganisationKind.OPERATOR, name="Olga Officer"
    )
    alice.get(reverse("audit:history"))
    entry = make.last("audit.history.read")
    url = reverse("audit:reveal", args=[entry.event_id])

    assert alice.user.email not in officer.get(url).content.decode()
    refused = officer.post(url, {"reason": ""})
    opened = officer.post(url, {"reason": "case 2026-17"})

    assert refused.status_code == 422
    assert alice.user.email in opened.content.decode()
    assert "127.0.0.1" in opened.content.decode()
    assert make.last("audit.entry.revealed").content["reason"] == "case 2026-17"


def test_the_administrator_says_where_alerts_go(ada: Browser) -> None:
    url = reverse("audit:channel")

    wrong = ada.post(url, {"addresses": "no address"})
    right = ada.post(url, {"addresses": "soc@example.test\nnight@example.test"})

    assert wrong.status_code == 422
    assert right.status_code == 302
    assert channels.operator_addresses() == ("soc@example.test", "night@example.test")
    assert "soc@example.test" in ada.get(url).content.decode()


def _read_up_to(seq: int) -> bool:
    return Cursor.objects.filter(reader="anomaly", seq__gte=seq).exists()
