"""Sign-in as people meet it: pages, in order, with every wrong turn."""

import json
import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator

from accounts import factors
from accounts.models import UserSession
from accounts.services import signup
from accounts.session_engine import SessionStore, key_of
from audit.models import AuditEvent
from foundation import clock
from tests.factories import accounts as make
from tests.factories.accounts import Answer, Browser, Person


@pytest.fixture
def person() -> Person:
    return make.enrolled(make.organisation())


def entries(code: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=code).order_by("seq"))


def first_step(browser: Browser, person: Person, *, passphrase: str = "", **query: str) -> Answer:
    form = {"login": person.user.email, "password": passphrase or person.passphrase, **query}
    return browser.post("/sign-in/", form)


def second_step(browser: Browser, code: str) -> Answer:
    return browser.post("/sign-in/code/", {"code": code})


def test_passphrase_and_code_sign_in(visitor: Browser, person: Person) -> None:
    first = first_step(visitor, person)
    second = second_step(visitor, person.code())

    assert first["Location"] == "/sign-in/code/"
    assert second.status_code == 302
    assert visitor.get("/profile/").status_code == 200
    (entry,) = entries("accounts.sign_in.succeeded")
    assert json.loads(entry.body)["details"]["method"] == "password+totp"
    assert entries("accounts.factor.used")


def test_a_recovery_code_signs_in_once(visitor: Browser, person: Person) -> None:
    code = person.recovery_codes[3]
    first_step(visitor, person)
    assert second_step(visitor, code).status_code == 302
    again = Browser()
    first_step(again, person)

    answer = second_step(again, code)

    assert answer.status_code == 422
    assert again.get("/profile/").status_code == 302
    assert entries("accounts.recovery.code_used")


def test_recovery_codes_lie_as_hashes_only(person: Person) -> None:
    row = Authenticator.objects.get(user=person.user, type="recovery_codes")

    text = repr(row.data)

    assert not [code for code in person.recovery_codes if code in text]
    assert "seed" not in row.data


def test_the_totp_secret_is_sealed(person: Person) -> None:
    row = Authenticator.objects.get(user=person.user, type="totp")

    assert person.secret not in repr(row.data)


def test_a_passphrase_alone_opens_no_page(visitor: Browser, person: Person) -> None:
    first_step(visitor, person)

    answers = [visitor.get(path) for path in ("/profile/", "/members/", "/records/", "/admin/")]

    assert {answer.status_code for answer in answers} == {302}
    assert all("/sign-in/" in answer["Location"] for answer in answers)


def test_the_code_page_without_passphrase_leads_back(visitor: Browser) -> None:
    answer = visitor.get("/sign-in/code/")

    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/"


def test_a_wrong_code_is_an_error_an_entry_and_no_session(visitor: Browser, person: Person) -> None:
    first_step(visitor, person)

    answer = second_step(visitor, "000000" if person.code() != "000000" else "111111")

    assert answer.status_code == 422
    assert "wrong or was used" in answer.content.decode()
    assert not UserSession.objects.filter(user=person.user).exists()
    assert entries("accounts.factor.failed")


def test_a_missing_code_is_an_error(visitor: Browser, person: Person) -> None:
    first_step(visitor, person)

    answer = second_step(visitor, "")

    assert answer.status_code == 422


@pytest.mark.parametrize("seconds", [0, 31, 61])
def test_a_code_signs_in_once_however_long_one_waits(person: Person, seconds: int) -> None:
    code = person.code(steps=1)
    first = Browser()
    first_step(first, person)
    assert second_step(first, code).status_code == 302
    try:
        clock.set_offset(timedelta(seconds=seconds))
        second = Browser()
        first_step(second, person)

        answer = second_step(second, code)
    finally:
        clock.set_offset(timedelta(0))

    assert answer.status_code == 422


def test_a_code_of_the_enrolment_does_not_sign_in(visitor: Browser, person: Person) -> None:
    used = Authenticator.objects.get(user=person.user, type="totp").data["last_t"]
    first_step(visitor, person)

    answer = second_step(visitor, factors.totp_code(person.secret, counter=used))

    assert answer.status_code == 422


def test_known_and_unknown_addresses_get_equal_answers(person: Person) -> None:
    known = first_step(Browser(), person, passphrase="quite a wrong passphrase")
    unknown = Browser().post(
        "/sign-in/", {"login": "nobody@example.test", "password": "quite a wrong passphrase"}
    )

    assert known.status_code == unknown.status_code == 422
    assert _without_accidents(known, person.user.email) == _without_accidents(
        unknown, "nobody@example.test"
    )


def test_a_frozen_account_answers_like_a_wrong_passphrase(person: Person) -> None:
    wrong = first_step(Browser(), person, passphrase="quite a wrong passphrase")
    person.user.frozen_at = clock.now()
    person.user.save(update_fields=["frozen_at"])

    frozen = first_step(Browser(), person)

    assert frozen.status_code == wrong.status_code
    assert _without_accidents(frozen, "") == _without_accidents(wrong, "")


def test_the_way_on_after_sign_in_stays_on_this_host(person: Person) -> None:
    for target in ("//evil.example/", "https://evil.example/", "javascript:alert(1)"):
        browser = Browser()
        first_step(browser, person, next=target)
        answer = second_step(browser, person.recovery_codes[_next_code()])

        assert answer["Location"] == "/"


def test_a_local_way_on_is_followed(visitor: Browser, person: Person) -> None:
    first_step(visitor, person, next="/profile/sessions/")

    answer = second_step(visitor, person.code())

    assert answer["Location"] == "/profile/sessions/"


def test_sign_in_gives_the_session_a_new_key(visitor: Browser, person: Person) -> None:
    first_step(visitor, person)
    before = visitor.cookies["sid"].value

    second_step(visitor, person.code())

    assert visitor.cookies["sid"].value != before


def test_neither_address_nor_passphrase_stays_in_the_session(
    visitor: Browser, person: Person
) -> None:
    first_step(visitor, person)
    pending = SessionStore(key_of(visitor.cookies["sid"].value)).load()
    second_step(visitor, person.code())
    signed_in = SessionStore(key_of(visitor.cookies["sid"].value)).load()

    for data in (pending, signed_in):
        assert data
        assert person.user.email not in repr(data)
        assert person.passphrase not in repr(data)


def test_sign_out_ends_the_session_on_the_record(alice: Browser) -> None:
    answer = alice.post("/sign-out/")

    assert answer["Location"] == "/sign-in/"
    assert alice.get("/profile/").status_code == 302
    assert UserSession.objects.get(user=alice.user).ended_because == "signed_out"
    assert entries("accounts.sign_out.done")


def test_a_get_does_not_sign_out(alice: Browser) -> None:
    assert alice.get("/sign-out/").status_code == 200
    assert alice.get("/profile/").status_code == 200


def test_a_set_that_nobody_confirmed_opens_nothing(visitor: Browser, person: Person) -> None:
    codes = signup.make_recovery_codes(person.user)
    first_step(visitor, person)

    answer = second_step(visitor, codes[0])

    assert answer.status_code == 422


def test_who_has_no_confirmed_codes_takes_them_before_anything_else(
    visitor: Browser, person: Person
) -> None:
    signup.make_recovery_codes(person.user)
    first_step(visitor, person)
    second_step(visitor, person.code())

    jailed = visitor.get("/profile/")
    codes = re.findall(r"<code>(\d{10})</code>", visitor.post(jailed["Location"]).content.decode())
    visitor.post("/enrolment/recovery-codes/confirm/", {"code": codes[4]})

    assert jailed["Location"] == "/enrolment/recovery-codes/"
    assert len(codes) == 10
    assert visitor.get("/profile/").status_code == 200


_used = iter(range(1, 10))


def _next_code() -> int:
    return next(_used)


def _without_accidents(answer: Answer, address: str) -> str:
    """Return a page without its token, its request id and what was typed."""
    text = answer.content.decode()
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text)
    text = re.sub(r'"X-CSRFToken": ?"[^"]*"', "", text)
    text = re.sub(r"&quot;X-CSRFToken&quot;: ?&quot;[^&]*&quot;", "", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", text)
    text = re.sub(r'value="[^"]*"', "", text)
    return text.replace(address, "") if address else text
