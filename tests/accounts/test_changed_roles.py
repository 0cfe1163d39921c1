"""What ends with a role that is lowered, and what a raised one leaves alone."""

from datetime import timedelta

import pytest
from oauth2_provider.models import AccessToken

from accounts.models import Organisation, UserSession
from accounts.services import memberships
from audit.models import AuditEvent
from foundation import clock
from tests.factories import accounts as make
from tests.factories.accounts import TEST, Browser


@pytest.fixture
def kim(aurora: Organisation) -> Browser:
    """Return a key user, not the last, with a token that was given in her name."""
    make.browser("administrator", of=aurora, name="Ada Archer")
    browser = make.browser("key_user", of=aurora, name="Kim Key")
    AccessToken.objects.create(
        user=browser.user, token="planted", scope="", expires=clock.now() + timedelta(minutes=10)
    )
    return browser


def change(browser: Browser, role: str) -> None:
    memberships.change_role(
        make.membership_of(browser.user).pk,
        make.role(role),
        organisation_id=browser.organisation.pk,
        principal=TEST,
    )


def live_tokens(browser: Browser) -> int:
    return AccessToken.objects.filter(user=browser.user, expires__gt=clock.now()).count()


def open_sessions(browser: Browser) -> int:
    return UserSession.objects.filter(user=browser.user, ended_at__isnull=True).count()


def test_a_lowered_role_ends_sessions_and_tokens(kim: Browser) -> None:
    assert kim.get("/members/").status_code == 200
    assert (live_tokens(kim), open_sessions(kim)) == (1, 1)

    change(kim, "customer")

    assert (live_tokens(kim), open_sessions(kim)) == (0, 0)
    assert kim.get("/members/").status_code == 302
    kim.user.refresh_from_db()
    assert Browser().sign_in(kim.user).get("/members/").status_code == 403


def test_the_end_of_access_is_in_the_journal_with_its_ground(kim: Browser) -> None:
    change(kim, "customer")

    (entry,) = AuditEvent.objects.filter(type="accounts.access.ended")
    assert "role_lowered" in entry.body


def test_a_raised_role_ends_nothing(kim: Browser) -> None:
    change(kim, "administrator")

    assert (live_tokens(kim), open_sessions(kim)) == (1, 1)
    assert kim.get("/members/").status_code == 200


def test_the_same_role_again_ends_nothing(kim: Browser) -> None:
    change(kim, "key_user")

    assert (live_tokens(kim), open_sessions(kim)) == (1, 1)
    assert not AuditEvent.objects.filter(type="accounts.membership.changed").exists()
