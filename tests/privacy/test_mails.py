"""Mails of privacy: complete as text, in the reader's language, without personal data."""

import re

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import translation

from accounts.models import NotificationAddress, User
from foundation import clock
from privacy.models import Archive, ErasurePlan
from privacy.services import erasure, exports, mails, receipts
from tests.factories import accounts as people
from tests.factories import privacy as make

LANGUAGES = ("en", "de", "fr", "pl")


@pytest.fixture
def person() -> User:
    return people.member(people.organisation(), name="Nina Nowak")


def speaking(person: User, language: str) -> User:
    User.objects.filter(pk=person.pk).update(language=language)
    person.refresh_from_db()
    return person


def check(mail: EmailMultiAlternatives, *, language: str, english: str) -> None:
    """Check what every mail has: subject, whole text, and the same as a page."""
    html = str(mail.alternatives[0][0])
    assert mail.subject
    assert "{{" not in str(mail.body) + html
    assert f'<html lang="{language}">' in html
    assert re.search(r"<title>[^<]+</title>", html)
    assert re.search(r"<h1[^>]*>[^<]+</h1>", html)
    assert "Nina" not in str(mail.body) + html
    with translation.override(language):
        assert mail.subject == translation.gettext(english)
    for link in re.findall(r"https?://\S+", str(mail.body)):
        assert link in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_says_that_the_copy_is_ready(
    person: User, language: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    request = make.ready(speaking(person, language))

    mails.tell_ready(request.pk)

    (mail,) = mailoutbox
    assert mail.to == [person.email]
    assert f"/privacy/requests/{request.pk}/" in str(mail.body)
    check(mail, language=language, english="The copy of your data is ready")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_says_when_an_erasure_begins_and_where_its_receipt_will_be(
    person: User, language: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    plan = make.planned(speaking(person, language))

    mails.tell_scheduled(plan.pk)

    (mail,) = mailoutbox
    assert receipts.address_of(plan) in str(mail.body)
    assert "/privacy/\n" in str(mail.body)
    check(mail, language=language, english="Your data will be erased")


def test_both_addresses_are_told(person: User, mailoutbox: list[EmailMultiAlternatives]) -> None:
    NotificationAddress.objects.create(
        user=person,
        subject_id=person.subject_id,
        address="second@example.test",
        verified_at=clock.now(),
    )

    mails.tell_scheduled(make.planned(person).pk)

    assert {to for mail in mailoutbox for to in mail.to} == {person.email, "second@example.test"}


def test_a_mail_is_sent_once(person: User, mailoutbox: list[EmailMultiAlternatives]) -> None:
    request, plan = make.ready(person), make.planned(person)

    for _turn in range(2):
        mails.tell_ready(request.pk)
        mails.tell_scheduled(plan.pk)

    assert len(mailoutbox) == 2
    assert Archive.objects.get().told_at is not None
    assert ErasurePlan.objects.get().told_at is not None


def test_nothing_is_sent_of_what_is_over(
    person: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    request, plan = make.ready(person), make.planned(person)
    exports.fetch(request, principal=make.principal_of(person))
    erasure.cancel(plan, principal=make.principal_of(person))

    mails.tell_ready(request.pk)
    mails.tell_scheduled(plan.pk)

    assert not mailoutbox
