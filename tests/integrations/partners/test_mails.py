"""Mails to the contact: once each, and none is lost where server, cache or worker was away."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from pytest_django import Settings

from encryption.services import drop_keys
from foundation import clock
from foundation.mail import MailNotSent
from integrations.partners.models import Onboarding
from integrations.partners.services import approvals, mails, onboardings
from tests.factories import partners
from tests.servers import FreshDatabase


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


@pytest.fixture
def idle() -> Onboarding:
    onboarding, _token = partners.started()
    _change(onboarding, changed_at=clock.now() - timedelta(days=24))
    return onboarding


def test_a_warning_that_a_worker_has_is_sent_by_no_other(idle: Onboarding) -> None:
    _change(idle, lease_until=clock.real_now() + timedelta(minutes=1))

    mails.send_warning(idle.pk)
    mails.sweep_warnings()

    assert mail.outbox == []


def test_a_warning_whose_worker_was_killed_is_sent_by_the_next_round_once(
    idle: Onboarding,
) -> None:
    _change(idle, lease_until=clock.real_now() - timedelta(seconds=1))

    mails.sweep_warnings()
    mails.sweep_warnings()

    assert len(mail.outbox) == 1
    idle.refresh_from_db()
    assert idle.warned_at is not None
    assert idle.lease_until is None


def test_a_warning_that_the_server_did_not_take_stays_due(
    idle: Onboarding, settings: Settings
) -> None:
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert mails.sweep_warnings() is False
    idle.refresh_from_db()
    assert idle.warned_at is None
    settings.EMAIL_BACKEND = backend
    mails.sweep_warnings()
    assert mail.outbox == [], "the lease of the failed round still runs"

    _change(idle, lease_until=clock.real_now() - timedelta(seconds=1))
    mails.sweep_warnings()

    assert len(mail.outbox) == 1


def test_two_rounds_at_once_warn_once(fresh_database: FreshDatabase) -> None:
    assert fresh_database.environment
    onboarding, _token = partners.started()
    _change(onboarding, changed_at=clock.now() - timedelta(days=24))

    def warn(_turn: int) -> None:
        try:
            mails.send_warning(onboarding.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(warn, range(4)))

    assert len(mail.outbox) == 1
    drop_keys()


def test_a_killed_sender_has_claimed_what_the_next_one_sends(
    fresh_database: FreshDatabase,
) -> None:
    onboarding, _token = partners.started()
    _change(onboarding, changed_at=clock.now() - timedelta(days=24))
    # A listener that never greets: the sender hangs between its claim and its mail.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = _sender(fresh_database, onboarding, port=silent.getsockname()[1])
        connection, _peer = silent.accept()
        sender.kill()
        sender.wait(10)
        connection.close()

    onboarding.refresh_from_db()
    assert (onboarding.warned_at, onboarding.lease_until is None) == (None, False)
    mails.sweep_warnings()
    assert mail.outbox == []
    _change(onboarding, lease_until=clock.real_now() - timedelta(seconds=1))
    mails.sweep_warnings()
    assert len(mail.outbox) == 1
    drop_keys()


def _sender(
    database: FreshDatabase, onboarding: Onboarding, *, port: int
) -> "subprocess.Popen[bytes]":
    """Start a process that sends the warning of an onboarding to a mail server on a port."""
    program = (
        "import django, uuid; django.setup(); "
        "from integrations.partners.services import mails; "
        f"mails.send_warning(uuid.UUID('{onboarding.pk}'))"
    )
    environment = {
        **os.environ,
        **database.environment,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(port),
    }
    return subprocess.Popen([sys.executable, "-c", program], env=environment)


def _change(onboarding: Onboarding, **values: object) -> None:
    Onboarding.objects.filter(pk=onboarding.pk).update(**values)
