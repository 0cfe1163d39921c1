"""Sessions end when they should, and their person sees and rules them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from accounts.models import UserSession
from accounts.services import housekeeping, sessions
from accounts.session_engine import SessionStore
from audit.models import AuditEvent
from foundation import clock
from tests.factories import accounts as make
from tests.factories.accounts import Browser


@pytest.fixture
def moved() -> Iterator[None]:
    yield
    clock.set_offset(timedelta(0))


def later(**by: int) -> None:
    clock.set_offset(timedelta(**by))


def is_in(browser: Browser) -> bool:
    return browser.get("/profile/").status_code == 200


def ends() -> list[str]:
    return list(
        UserSession.objects.exclude(ended_because="").values_list("ended_because", flat=True)
    )


@pytest.mark.usefixtures("moved")
def test_a_session_left_alone_for_half_an_hour_ends(alice: Browser) -> None:
    later(minutes=29)
    assert is_in(alice)

    later(minutes=29 + 31)

    assert not is_in(alice)
    assert ends() == ["idle"]
    assert AuditEvent.objects.filter(type="accounts.session.ended").exists()


@pytest.mark.usefixtures("moved")
def test_the_session_of_staff_ends_after_a_quarter_of_an_hour(ada: Browser) -> None:
    later(minutes=16)

    assert not is_in(ada)


@pytest.mark.usefixtures("moved")
def test_a_session_in_use_ends_after_twelve_hours(alice: Browser) -> None:
    for hours in range(0, 12 * 60, 25):
        later(minutes=hours)
        assert is_in(alice)

    later(hours=12, minutes=1)

    assert not is_in(alice)
    assert ends() == ["absolute"]


def test_another_browser_ends_the_session(alice: Browser) -> None:
    answer = alice.get("/profile/", HTTP_USER_AGENT="curl/8")

    assert answer.status_code == 302
    assert ends() == ["other_browser"]


def test_another_network_asks_for_a_new_proof(alice: Browser) -> None:
    answer = alice.get("/profile/passphrase/", REMOTE_ADDR="198.51.100.9")

    assert answer["Location"].startswith("/step-up/")


def test_a_raised_security_epoch_ends_old_cookies(alice: Browser) -> None:
    alice.user.security_epoch += 1
    alice.user.save()

    assert not is_in(alice)


def test_end_access_ends_everything_and_nothing_revives(alice: Browser) -> None:
    store = make.session_of(alice.user)
    data, secret = store.load(), store.secret

    ended = sessions.end_access(alice.user, "test")
    revived = SessionStore(store.session_key)
    revived.update(data)
    revived.save(must_create=False)
    alice.cookies["sid"] = secret or ""

    assert ended == 2
    assert not is_in(alice)
    assert AuditEvent.objects.filter(type="accounts.access.ended").exists()


def test_a_frozen_person_is_out_at_the_next_request(alice: Browser) -> None:
    alice.user.frozen_at = clock.now()
    alice.user.save()

    assert not is_in(alice)


def test_a_person_ends_another_session(alice: Browser) -> None:
    other = Browser().sign_in(alice.user)
    row = UserSession.objects.filter(user=alice.user).latest("started_at", "id")

    page = alice.get("/profile/sessions/")
    alice.get(f"/profile/sessions/{row.pk}/end/")
    alice.post(f"/profile/sessions/{row.pk}/end/")

    assert f"/profile/sessions/{row.pk}/end/" in page.content.decode()
    assert not is_in(other)
    assert is_in(alice)
    assert not Session.objects.filter(session_key=row.session_key).exists()


def test_a_person_ends_all_other_sessions(alice: Browser) -> None:
    others = [Browser().sign_in(alice.user) for _ in range(3)]

    alice.post("/profile/sessions/others/end/")

    assert [is_in(other) for other in others] == [False, False, False]
    assert is_in(alice)


def test_the_session_of_somebody_else_looks_like_none(alice: Browser, carol: Browser) -> None:
    row = UserSession.objects.get(user=carol.user)

    answers = [alice.get(f"/profile/sessions/{row.pk}/end/"),
               alice.post(f"/profile/sessions/{row.pk}/end/")]  # fmt: skip

    assert [answer.status_code for answer in answers] == [404, 404]
    assert is_in(carol)


@pytest.mark.usefixtures("moved")
def test_tracking_writes_at_most_once_a_minute(alice: Browser) -> None:
    started = UserSession.objects.get(user=alice.user).last_seen_at
    later(seconds=59)
    alice.get("/profile/")
    assert UserSession.objects.get(user=alice.user).last_seen_at == started

    later(seconds=61)
    alice.get("/profile/")

    assert UserSession.objects.get(user=alice.user).last_seen_at > started


def test_a_changed_passphrase_ends_other_sessions_and_keeps_this_one() -> None:
    person = make.enrolled(make.organisation())
    here, there = Browser().sign_in(person.user), Browser().sign_in(person.user)
    new = "a new passphrase with many words"

    wrong = here.post("/profile/passphrase/", {"old": "not the old one", "passphrase": new})
    answer = here.post("/profile/passphrase/", {"old": person.passphrase, "passphrase": new})

    person.user.refresh_from_db()
    assert wrong.status_code == 422
    assert answer["Location"] == "/profile/"
    assert person.user.check_password(new)
    assert is_in(here)
    assert not is_in(there)
    assert AuditEvent.objects.filter(type="accounts.password.changed").exists()


def test_the_session_list_has_a_query_budget(alice: Browser) -> None:
    for _ in range(30):
        make.session_of(alice.user)
    alice.get("/profile/sessions/")

    with make.queries_at_most(12):
        page = alice.get("/profile/sessions/")

    assert page.status_code == 200


def test_old_ended_sessions_are_pruned(alice: Browser) -> None:
    UserSession.objects.update(ended_at=clock.now() - timedelta(days=31), ended_because="idle")

    assert housekeeping.prune() == 1
    assert not UserSession.objects.filter(user=alice.user).exists()
