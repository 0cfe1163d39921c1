"""The first administrator, by a code that is good once and for an hour."""

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.errors import SetUpClosed
from accounts.models import Invitation, OneTimeLink, Organisation
from accounts.services import set_up
from accounts.types import OrganisationKind
from audit.models import AuditEvent
from foundation import clock
from tests.factories import accounts as make
from tests.factories.accounts import Browser

FORM = {"organisation_name": "Northwind Pumps", "email": "root@example.test"}


def test_the_code_makes_operator_and_administrator(visitor: Browser) -> None:
    code = set_up.make_code()
    page = visitor.get(f"/setup/{code}/")

    answer = visitor.post(f"/setup/{code}/", FORM)
    link = answer["Location"].removeprefix(settings.BASE_URL)
    visitor.post(link, {"display_name": "Ada Adler", "passphrase": make.PASSPHRASE})

    assert page.status_code == 200
    operator = Organisation.objects.get(kind=OrganisationKind.OPERATOR)
    assert operator.name == "Northwind Pumps"
    invitation = Invitation.objects.get()
    assert invitation.accepted_by is not None
    assert invitation.accepted_by.is_staff
    assert visitor.get("/enrolment/authenticator/").status_code == 200
    assert AuditEvent.objects.filter(type="accounts.set_up.started").exists()


def test_a_code_works_once(visitor: Browser) -> None:
    code = set_up.make_code()
    visitor.post(f"/setup/{code}/", FORM)

    answers = [visitor.get(f"/setup/{code}/"), visitor.post(f"/setup/{code}/", FORM)]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert Invitation.objects.count() == 1
    assert AuditEvent.objects.filter(type="accounts.set_up.refused").count() == 2


def test_a_code_dies_after_an_hour(visitor: Browser) -> None:
    code = set_up.make_code()
    OneTimeLink.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert visitor.post(f"/setup/{code}/", FORM).status_code == 410
    assert not Organisation.objects.exists()


def test_an_unknown_code_is_refused(visitor: Browser) -> None:
    assert visitor.get("/setup/guessed/").status_code == 410


def test_a_new_code_ends_the_old_one(visitor: Browser) -> None:
    old = set_up.make_code()

    set_up.make_code()

    assert visitor.get(f"/setup/{old}/").status_code == 410


def test_there_is_no_code_once_there_is_an_administrator(visitor: Browser) -> None:
    code = set_up.make_code()
    make.enrolled(make.organisation(OrganisationKind.OPERATOR), "administrator")

    with pytest.raises(SetUpClosed):
        set_up.make_code()

    assert visitor.get(f"/setup/{code}/").status_code == 410


def test_the_command_prints_the_address() -> None:
    out = StringIO()

    call_command("setup_code", stdout=out)

    assert f"{settings.BASE_URL}/setup/" in out.getvalue()


def test_the_first_start_prints_a_code_and_the_second_none() -> None:
    first, second = StringIO(), StringIO()

    call_command("setup_code", "--if-empty", stdout=first)
    call_command("setup_code", "--if-empty", stdout=second)

    assert first.getvalue().startswith("setup-code: /setup/")
    assert not second.getvalue()


def test_the_command_refuses_once_there_is_an_administrator() -> None:
    make.enrolled(make.organisation(OrganisationKind.OPERATOR), "administrator")

    with pytest.raises(CommandError):
        call_command("setup_code")
