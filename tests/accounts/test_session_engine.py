from django.conf import settings
from django.contrib.sessions.models import Session

from accounts.models import UserSession
from accounts.session_engine import key_of
from tests.factories.accounts import Browser


def test_the_cookie_holds_a_secret_that_no_table_holds(alice: Browser) -> None:
    secret = alice.cookies[settings.SESSION_COOKIE_NAME].value

    stored = set(Session.objects.values_list("session_key", flat=True))
    listed = set(UserSession.objects.values_list("session_key", flat=True))

    assert secret not in stored | listed
    assert key_of(secret) in stored
    assert key_of(secret) in listed


def test_a_row_key_used_as_cookie_signs_nobody_in(alice: Browser, visitor: Browser) -> None:
    row_key = UserSession.objects.get(user=alice.user).session_key

    visitor.cookies[settings.SESSION_COOKIE_NAME] = row_key
    answer = visitor.get("/profile/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_a_signed_in_person_sees_the_profile(alice: Browser) -> None:
    answer = alice.get("/profile/")

    assert answer.status_code == 200
    assert "Alice Archer" in answer.content.decode()
