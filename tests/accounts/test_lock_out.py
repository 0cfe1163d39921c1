"""Guessing: counted per address and net, on the record, never a way to lock an owner out."""

import json

import pytest
from axes.models import AccessAttempt
from django.test import RequestFactory

from accounts.services import lock_out
from audit.models import AuditEvent
from foundation.errors import TooMany
from tests.factories import accounts as make
from tests.factories.accounts import Answer, Browser, Person

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture
def person() -> Person:
    return make.enrolled(make.organisation())


def wrong(browser: Browser, email: str, **where: str) -> Answer:
    form = {"login": email, "password": "quite a wrong passphrase"}
    return browser.post("/sign-in/", form, **where)  # type: ignore[arg-type]  # WSGI environment


def entries(code: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=code).order_by("seq"))


def test_five_failures_lock_address_and_net(visitor: Browser, person: Person) -> None:
    answers = [wrong(visitor, person.user.email) for _ in range(5)]

    locked = visitor.post("/sign-in/", {"login": person.user.email, "password": person.passphrase})

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert locked.status_code == 429
    assert locked["Retry-After"] == "900"
    assert len(entries("accounts.sign_in.failed")) == 5
    assert len(entries("accounts.sign_in.refused")) == 1


def test_the_owner_gets_in_from_another_net(visitor: Browser, person: Person) -> None:
    for _ in range(6):
        wrong(visitor, person.user.email)

    owner = Browser(**ELSEWHERE)  # type: ignore[arg-type]  # WSGI environment
    first = owner.post("/sign-in/", {"login": person.user.email, "password": person.passphrase})

    assert first["Location"] == "/sign-in/code/"


def test_an_unknown_address_is_locked_alike(visitor: Browser) -> None:
    answers = [wrong(visitor, "nobody@example.test") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429, 429]


def test_an_address_is_counted_however_it_is_written(visitor: Browser, person: Person) -> None:
    for spelling in (str.upper, str.title, str.lower, str.swapcase):
        wrong(visitor, f" {spelling(person.user.email)} ")

    assert wrong(visitor, person.user.email).status_code == 429


def test_forged_forwarding_headers_do_not_escape_the_lock(visitor: Browser, person: Person) -> None:
    answers = [
        wrong(visitor, person.user.email, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
        for number in range(6)
    ]

    assert answers[-1].status_code == 429


def test_wrong_codes_lock_too(visitor: Browser, person: Person) -> None:
    visitor.post("/sign-in/", {"login": person.user.email, "password": person.passphrase})

    answers = [visitor.post("/sign-in/code/", {"code": "00000000"}) for _ in range(5)]
    right = visitor.post("/sign-in/code/", {"code": person.code()})

    assert answers[-1].status_code == 429
    assert right.status_code == 429


def from_net(number: int) -> dict[str, str]:
    return {"REMOTE_ADDR": f"198.51.{number}.7"}


def guess_codes(browser: Browser, person: Person, *, times: int) -> None:
    browser.post("/sign-in/", {"login": person.user.email, "password": person.passphrase})
    for number in range(times):
        answer = browser.post("/sign-in/code/", {"code": "00000000"}, **from_net(number))  # type: ignore[arg-type]  # WSGI environment
        assert answer.status_code == 422


def test_codes_are_counted_over_all_nets_together(visitor: Browser, person: Person) -> None:
    guess_codes(visitor, person, times=20)

    right = visitor.post("/sign-in/code/", {"code": person.code()})

    assert right.status_code == 422


def test_a_right_code_ends_the_count_over_all_nets(visitor: Browser, person: Person) -> None:
    guess_codes(visitor, person, times=19)

    assert visitor.post("/sign-in/code/", {"code": person.code()})["Location"] == "/"

    guess_codes(Browser(), person, times=2)


def test_what_axes_stores_is_masked(visitor: Browser, person: Person) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    for email in (person.user.email, "nobody@example.test"):
        wrong(visitor, email, HTTP_USER_AGENT=agent, REMOTE_ADDR="192.0.2.77")

    rows = {attempt.username: attempt for attempt in AccessAttempt.objects.all()}

    assert person.user.email in rows
    assert "nobody@example.test" not in rows
    for row in rows.values():
        assert row.ip_address == "192.0.2.0"
        assert row.user_agent == "Firefox"
        assert "quite a wrong" not in row.post_data
        assert "example.test" not in row.post_data


def test_what_a_client_calls_itself_is_stored_as_a_digest_alone() -> None:
    lock_out.failed(RequestFactory().post("/oauth2/token"), "a secret in place of the id")

    (row,) = AccessAttempt.objects.all()

    assert len(row.username) == 64
    assert "secret" not in row.username


def test_a_failed_sign_in_names_the_person_by_subject_and_the_address_by_digest(
    visitor: Browser, person: Person
) -> None:
    wrong(visitor, person.user.email)

    (entry,) = entries("accounts.sign_in.failed")

    assert str(person.user.subject_id) in entry.body
    assert person.user.email not in entry.body
    assert json.loads(entry.body)["details"]["identifier"]


def test_the_guard_refuses_a_client_after_five_failures() -> None:
    request = RequestFactory().post("/oauth2/token")
    for _ in range(5):
        lock_out.check(request, "client-1")
        lock_out.failed(request, "client-1")

    with pytest.raises(TooMany) as refused:
        lock_out.check(request, "client-1")

    assert refused.value.retry_after == 900
    lock_out.check(request, "client-2")


def test_the_guard_forgets_after_a_success() -> None:
    request = RequestFactory().post("/oauth2/token")
    for _ in range(5):
        lock_out.failed(request, "client-1")

    lock_out.succeeded("client-1")

    lock_out.check(request, "client-1")
