"""Mails that are due are sent once, and none is lost where the server or a worker was away."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.core import mail as outbox
from django.db.models import Model
from pytest_django import Settings

from accounts.models import Invitation, OneTimeLink, Organisation, SecurityNotice
from accounts.services import invitations, notices, signup
from accounts.types import LinkPurpose, NoticeKind
from foundation import clock
from foundation.mail import MailNotSent
from tests.factories import accounts as make
from tests.factories.accounts import TEST, Browser

EMAIL = "new.person@example.test"

Send = Callable[[UUID], None]
Due = Callable[[], list[UUID]]
Case = tuple[type[Model], UUID, Send, Due]


@pytest.fixture(params=["invitation", "enrolment", "notice"])
def case(request: pytest.FixtureRequest, alice: Browser, aurora: Organisation) -> Case:
    """Return a mail that became due a minute ago."""
    made = {"invitation": _invitation, "enrolment": _enrolment, "notice": _notice}
    model, row, send, due = made[request.param](alice, aurora)
    model.objects.filter(pk=row).update(created_at=clock.now() - timedelta(minutes=1))  # type: ignore[attr-defined]  # each model has a manager
    return model, row, send, due


def test_a_mail_that_a_worker_has_is_sent_by_no_other(case: Case) -> None:
    model, row, send, due = case
    _lease(model, row, timedelta(minutes=1))

    send(row)

    assert outbox.outbox == []
    assert due() == []


def test_a_mail_whose_worker_was_killed_is_sent_by_the_next(case: Case) -> None:
    model, row, send, due = case
    _lease(model, row, timedelta(seconds=-1))
    assert due() == [row]

    send(row)

    assert len(outbox.outbox) == 1
    assert due() == []


def test_a_mail_that_the_server_did_not_take_is_due_again(case: Case, settings: Settings) -> None:
    model, row, send, due = case
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(MailNotSent):
        send(row)
    settings.EMAIL_BACKEND = backend

    _lease(model, row, timedelta(seconds=-1))

    assert due() == [row]
    send(row)
    assert len(outbox.outbox) == 1


def test_an_invitation_sent_once_more_does_not_wait_for_an_old_lease(
    aurora: Organisation,
) -> None:
    _model, row, send, _due = _invitation(None, aurora)
    send(row)

    invitations.resend(row, organisation_id=aurora.pk, principal=TEST)
    send(row)

    assert len(outbox.outbox) == 2


def test_notices_to_people_who_are_gone_keep_no_place_in_the_queue(alice: Browser) -> None:
    _notice(alice, None)
    SecurityNotice.objects.update(created_at=clock.now() - timedelta(minutes=1))

    alice.user.is_active = False
    alice.user.save(update_fields=["is_active"])

    assert notices.due() == []


def _invitation(_alice: Browser | None, aurora: Organisation) -> Case:
    made = invitations.invite(
        email=EMAIL, organisation=aurora, role=make.role("customer"), principal=TEST
    )
    return Invitation, made.pk, invitations.send, invitations.due


def _enrolment(alice: Browser, _aurora: Organisation) -> Case:
    link = OneTimeLink.objects.create(
        user=alice.user,
        purpose=LinkPurpose.ENROLMENT,
        expires_at=clock.now() + timedelta(hours=1),
    )
    return OneTimeLink, link.pk, signup.send_link, signup.due_links


def _notice(alice: Browser, _aurora: Organisation | None) -> Case:
    notice = notices.tell(alice.user, NoticeKind.ROLE_CHANGED)
    return SecurityNotice, notice.pk, notices.send, notices.due


def _lease(model: type[Model], row: UUID, life: timedelta) -> None:
    model.objects.filter(pk=row).update(lease_until=clock.real_now() + life)  # type: ignore[attr-defined]  # each model has a manager
