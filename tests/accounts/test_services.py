"""Small services: notices, preferences, permission questions, sessions without a cache."""

import re
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core.cache import caches
from django.test import RequestFactory
from pytest_django import Settings
from redis.exceptions import ConnectionError as CacheAway

from accounts import factors, tasks
from accounts.backends import MembershipBackend
from accounts.contributions import Directory, Preferences
from accounts.errors import PassphraseRefused
from accounts.models import Invitation, NotificationAddress, SecurityNotice
from accounts.services import housekeeping, invitations, notices, passphrases, profiles
from accounts.session_engine import SessionStore, key_of
from accounts.types import NoticeKind
from foundation import clock
from tests.factories import accounts as make
from tests.factories.accounts import TEST, Browser


def test_a_notice_goes_to_all_confirmed_addresses_once(alice: Browser) -> None:
    for confirmed, address in ((clock.now(), "second@example.test"), (None, "third@example.test")):
        NotificationAddress.objects.create(
            user=alice.user,
            subject_id=alice.user.subject_id,
            address=address,
            verified_at=confirmed,
        )
    notice = notices.tell(alice.user, NoticeKind.PASSWORD_CHANGED)

    notices.send(notice.pk)
    notices.send(notice.pk)

    to = sorted(message.to[0] for message in outbox.outbox)
    assert to == sorted([alice.user.email, "second@example.test"])
    assert "Your passphrase was changed" in outbox.outbox[0].subject


@pytest.mark.parametrize("language", ["en", "de", "fr", "pl"])
@pytest.mark.parametrize("kind", NoticeKind.values)
def test_every_notice_has_a_mail_in_every_language(
    alice: Browser, language: str, kind: str
) -> None:
    profiles.change(alice.user, principal=TEST, language=language)
    notice = notices.tell(alice.user, NoticeKind(kind))

    notices.send(notice.pk)

    (message,) = outbox.outbox
    assert message.subject
    assert "/profile/sessions/" in message.body


def test_a_forgotten_notice_is_due(alice: Browser) -> None:
    notice = notices.tell(alice.user, NoticeKind.ROLE_CHANGED)
    assert not notices.due()

    SecurityNotice.objects.update(created_at=clock.now() - timedelta(minutes=1))

    assert notices.due() == [notice.pk]
    assert tasks.sweep() is False


def test_the_directory_tells_where_a_person_is_told(alice: Browser) -> None:
    contact = Directory().notice_addresses(alice.user.subject_id)
    nobody = Directory().notice_addresses(make.some_id())

    assert contact.addresses == (alice.user.email,)
    assert nobody.addresses == ()


def test_preferences_are_kept_on_the_user(alice: Browser) -> None:
    request = RequestFactory().get("/")
    request.user = alice.user
    request.principal = alice.principal  # type: ignore[attr-defined]  # ours
    store = Preferences()

    store.save(request, language="pl", theme="dark")

    assert (store.language(request), store.theme(request)) == ("pl", "dark")


def test_permissions_without_an_object_are_never_granted(kim: Browser) -> None:
    backend = MembershipBackend()

    assert not backend.has_perm(kim.user, "accounts.user.read")
    assert not backend.has_perm(kim.user, "accounts.user.read", kim.organisation)


def test_permissions_on_an_object_come_from_its_organisation(kim: Browser, carol: Browser) -> None:
    backend = MembershipBackend()
    here = Invitation(organisation=kim.organisation)
    there = Invitation(organisation=carol.organisation)

    assert backend.has_perm(kim.user, "accounts.user.read", here)
    assert not backend.has_perm(kim.user, "accounts.user.read", there)
    assert not backend.has_perm(kim.user, "accounts.role.manage", here)


def test_an_expired_membership_gives_nothing(kim: Browser) -> None:
    row = make.membership_of(kim.user)
    row.valid_until = clock.now()
    row.save()

    assert not kim.principal.permissions
    assert kim.principal.organisation_id is None


@pytest.mark.parametrize(
    "passphrase",
    ["aaaaaaaaaaaaaaaa", "passwordpassword", "abcabcabcabcabcabc", "123456123456123456"],
)
def test_long_but_guessable_passphrases_are_refused(passphrase: str) -> None:
    with pytest.raises(PassphraseRefused):
        passphrases.check(passphrase)


@pytest.mark.parametrize(
    "passphrase", ["zażółć gęślą jaźń 12", "four words make one", "    leading and trailing    "]
)
def test_unicode_and_spaces_are_fine(passphrase: str) -> None:
    passphrases.check(passphrase)


def test_an_invitation_mail_exists_in_every_language(kim: Browser) -> None:
    for number, language in enumerate(("en", "de", "fr", "pl")):
        invitation = invitations.invite(
            email=f"new{number}@example.test",
            organisation=kim.organisation,
            role=make.role("customer"),
            principal=kim.principal,
            language=language,
        )
        tasks.send_invitation(str(invitation.pk))

    assert len(outbox.outbox) == 4
    assert all("/invitations/" in message.body for message in outbox.outbox)


def test_sessions_live_in_the_table_while_the_cache_is_away(
    alice: Browser, settings: Settings
) -> None:
    key = key_of(alice.cookies["sid"].value)
    nowhere = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": nowhere}
    with pytest.raises(CacheAway):
        caches["default"].get("control")
    store = SessionStore(key)
    store["note"] = 1
    store.save()

    assert SessionStore(key)["note"] == 1
    store.delete()
    assert not SessionStore(key).load()


def test_what_is_past_its_time_is_deleted(alice: Browser) -> None:
    notices.tell(alice.user, NoticeKind.ROLE_CHANGED)
    fresh = housekeeping.prune()
    SecurityNotice.objects.update(created_at=clock.now() - timedelta(days=366))

    assert fresh == 0
    assert tasks.prune() is False
    assert not SecurityNotice.objects.exists()


def test_new_recovery_codes_end_the_old_ones_and_are_confirmed_first() -> None:
    person = make.enrolled(make.organisation())
    browser = Browser().sign_in(person.user)

    page = browser.post("/profile/recovery-codes/")
    codes = re.findall(r"<code>(\d{10})</code>", page.content.decode())
    jailed = browser.get("/profile/")
    browser.post("/enrolment/recovery-codes/confirm/", {"code": codes[9]})

    assert jailed["Location"] == "/enrolment/recovery-codes/"
    assert browser.get("/profile/").status_code == 200
    assert factors.check(person.user.pk, person.recovery_codes[5]) is None
    assert factors.check(person.user.pk, codes[0]) is not None


def test_a_staff_invitation_in_the_admin_goes_through_the_service(ada: Browser) -> None:
    customer = make.organisation()

    answer = ada.post(
        "/admin/accounts/invitation/add/",
        {
            "email": "First@Example.test",
            "organisation": str(customer.pk),
            "role": str(make.role("key_user").pk),
            "language": "en",
        },
    )

    assert answer.status_code == 302
    assert Invitation.objects.get().email == "first@example.test"
