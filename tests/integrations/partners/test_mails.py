"""Mails to the contact: once each, and none is lost where server, cache or worker was away."""

from datetime import timedelta

import pytest
from django.core import mail
from pytest_django import Settings

from foundation import clock
from foundation.mail import MailNotSent
from integrations.partners.models import Onboarding
from integrations.partners.services import approvals, mails, onboardings
from tests.factories import partners


@pytest.fixture
def forgotten() -> Onboarding:
    onboarding, _token = partners.started()
    _change(onboarding, created_at=clock.now() - timedelta(minutes=1))
    return onboarding


def test_a_confirmation_that_a_worker_has_is_sent_by_no_other(forgotten: Onboarding) -> None:
    _change(forgotten, lease_until=clock.real_now() + timedelta(minutes=1))

    mails.send_confirmation(forgotten.pk)
    mails.sweep()

    assert mail.outbox == []


def test_a_confirmation_whose_worker_was_killed_is_sent_by_the_sweep(
    forgotten: Onboarding,
) -> None:
    _change(forgotten, lease_until=clock.real_now() - timedelta(seconds=1))

    mails.sweep()
    mails.sweep()

    assert len(mail.outbox) == 1


def test_a_server_that_is_away_for_long_uses_up_no_count_of_the_address(
    forgotten: Onboarding, settings: Settings
) -> None:
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for _turn in range(mails.MAILS_PER_ADDRESS + 1):
        with pytest.raises(MailNotSent):
            mails.send_confirmation(forgotten.pk)
        _change(forgotten, lease_until=None)
    settings.EMAIL_BACKEND = backend

    mails.sweep()

    assert len(mail.outbox) == 1


def test_a_confirmation_waits_for_the_counter(forgotten: Onboarding, settings: Settings) -> None:
    counter = settings.VALKEY_URL
    settings.VALKEY_URL = "redis://127.0.0.1:1/0"
    assert mails.sweep() is False
    settings.VALKEY_URL = counter

    _change(forgotten, lease_until=None)
    mails.sweep()

    assert len(mail.outbox) == 1


def test_a_decision_that_no_worker_mailed_is_found_by_the_sweep_once() -> None:
    partner = partners.in_sandbox(partners.key())
    onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)
    approvals.refuse(partner.onboarding.pk, reason="No such company", principal=partners.staff())
    before = len(mail.outbox)
    mails.sweep()
    assert len(mail.outbox) == before

    _change(partner.onboarding, decided_at=clock.now() - timedelta(minutes=1))
    mails.sweep()
    mails.sweep()
    mails.send_decision(partner.onboarding.pk)

    assert len(mail.outbox) == before + 1
    assert "No such company" in str(mail.outbox[-1].body)


def _change(onboarding: Onboarding, **values: object) -> None:
    Onboarding.objects.filter(pk=onboarding.pk).update(**values)
