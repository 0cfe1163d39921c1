"""From the mail to the first session that counts, and every way that must not lead there."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail as outbox

from accounts import factors
from accounts.models import Invitation, Membership, OneTimeLink, Organisation, User
from accounts.services import invitations, signup
from accounts.session_engine import SessionStore, key_of
from audit.models import AuditEvent
from foundation import clock
from tests.factories import accounts as make
from tests.factories.accounts import PASSPHRASE, TEST, Answer, Browser

ADDRESS = "nina@example.test"
NAME = "Nina Nowak"


@pytest.fixture
def invitation(aurora: Organisation) -> Invitation:
    return invite(aurora)


@pytest.fixture
def link(invitation: Invitation) -> str:
    return path_of(invitations.issue_link(invitation))


def invite(organisation: Organisation, *, email: str = ADDRESS) -> Invitation:
    return invitations.invite(
        email=email,
        organisation=organisation,
        role=make.role("customer"),
        principal=TEST,
        by_mail=False,
    )


def path_of(address: str) -> str:
    return address.removeprefix(settings.BASE_URL)


def accept(browser: Browser, link: str, *, passphrase: str = PASSPHRASE) -> Answer:
    return browser.post(link, {"display_name": NAME, "passphrase": passphrase})


def secret_on(page: Answer) -> str:
    found = re.search(r"data-copy>([A-Z2-7 ]+)<", page.content.decode())
    assert found is not None
    return found[1].replace(" ", "")


def codes_on(page: Answer) -> list[str]:
    return re.findall(r"<code>(\d{10})</code>", page.content.decode())


def entries(code: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=code).order_by("seq"))


def test_the_whole_way_from_the_mail_to_the_home_page(visitor: Browser, link: str) -> None:
    page = visitor.get(link)
    accept(visitor, link)
    secret = secret_on(visitor.get("/enrolment/authenticator/"))
    visitor.post("/enrolment/authenticator/", {"code": factors.totp_code(secret)})
    codes = codes_on(visitor.post("/enrolment/recovery-codes/"))
    last = visitor.post("/enrolment/recovery-codes/confirm/", {"code": codes[0]})

    assert "Aurora Instruments" in page.content.decode()
    assert last["Location"] == "/"
    assert visitor.get("/profile/").status_code == 200
    user = User.objects.get(email=ADDRESS)
    assert user.display_name == NAME
    assert make.membership_of(user).role.code == "customer"
    assert EmailAddress.objects.get(user=user).verified
    for code in ("invitation.accepted", "membership.created", "factor.enrolled",
                 "recovery.codes_made", "enrolment.completed", "sign_in.succeeded"):  # fmt: skip
        assert entries(f"accounts.{code}"), code


def test_the_mail_names_organisation_and_inviter(kim: Browser) -> None:
    kim.post("/members/invite/", {"email": ADDRESS, "role": str(make.role("customer").pk),
                                  "language": "en"})  # fmt: skip
    invitation = Invitation.objects.get(email=ADDRESS)

    invitations.send(invitation.pk)

    (message,) = outbox.outbox
    assert message.to == [ADDRESS]
    assert "Kim Keyes" in message.body
    assert "Aurora Instruments" in message.body
    assert "/invitations/" in message.body
    invitation.refresh_from_db()
    assert invitation.sent_at is not None


def test_a_mail_is_sent_once(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=None)

    invitations.send(invitation.pk)
    invitations.send(invitation.pk)

    assert len(outbox.outbox) == 1


def test_the_link_is_kept_as_its_hash(invitation: Invitation, link: str) -> None:
    invitation.refresh_from_db()
    token = link.split("/")[2]

    assert token.encode() not in bytes(invitation.token_hash or b"")
    assert len(bytes(invitation.token_hash or b"")) == 32


@pytest.mark.parametrize("path", ["/profile/", "/members/", "/records/", "/admin/", "/step-up/"])
def test_before_the_factor_the_enrolment_session_opens_nothing_else(
    visitor: Browser, link: str, path: str
) -> None:
    accept(visitor, link)

    answer = visitor.get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith(("/enrolment/", "/sign-in/"))


def test_a_sign_in_with_the_passphrase_alone_does_not_open_enrolment(
    visitor: Browser, link: str
) -> None:
    accept(Browser(), link)

    answer = visitor.post("/sign-in/", {"login": ADDRESS, "password": PASSPHRASE})
    page = visitor.get("/enrolment/authenticator/")

    assert answer["Location"] == "/sign-in/unfinished/"
    assert page["Location"] == "/sign-in/unfinished/"
    assert not Authenticator.objects.exists()


def test_a_new_mail_goes_on_with_an_abandoned_enrolment(visitor: Browser, link: str) -> None:
    accept(Browser(), link)
    visitor.post("/sign-in/unfinished/", {"email": ADDRESS})
    signup.send_link(OneTimeLink.objects.get(user__email=ADDRESS).pk)
    found = re.search(r"http\S+(/enrolment/link/\S+)", str(outbox.outbox[0].body))
    assert found is not None

    first = accept(visitor, found[1])
    second = accept(Browser(), found[1])

    assert first["Location"] == "/enrolment/authenticator/"
    assert second.status_code == 410


def test_the_offer_of_a_new_mail_answers_alike_for_known_and_unknown(
    visitor: Browser, link: str
) -> None:
    accept(Browser(), link)

    known = visitor.post("/sign-in/unfinished/", {"email": ADDRESS})
    unknown = visitor.post("/sign-in/unfinished/", {"email": "nobody@example.test"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert OneTimeLink.objects.count() == 1
    assert len(entries("accounts.enrolment.requested")) == 2


def test_an_enrolled_person_gets_no_new_mail(visitor: Browser, aurora: Organisation) -> None:
    person = make.enrolled(aurora)

    visitor.post("/sign-in/unfinished/", {"email": person.user.email})

    assert not OneTimeLink.objects.exists()


def test_a_used_invitation_is_refused_on_a_clear_page(visitor: Browser, link: str) -> None:
    accept(Browser(), link)
    before = _rows()

    answers = [visitor.get(link), accept(visitor, link)]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert "used already" in answers[0].content.decode()
    assert _rows() == before
    assert entries("accounts.invitation.refused")


def test_an_expired_invitation_is_refused(
    visitor: Browser, invitation: Invitation, link: str
) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=clock.now())
    before = _rows()

    answer = accept(visitor, link)

    assert answer.status_code == 410
    assert "too old" in answer.content.decode()
    assert _rows() == before


def test_a_withdrawn_invitation_is_refused(
    visitor: Browser, invitation: Invitation, link: str
) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(withdrawn_at=clock.now())

    assert accept(visitor, link).status_code == 410


def test_an_unknown_invitation_is_refused(visitor: Browser) -> None:
    assert visitor.get("/invitations/no-such-token/").status_code == 410


def test_an_invitation_of_somebody_else_is_refused(alice: Browser, link: str) -> None:
    before = _rows()

    answers = [alice.get(link), accept(alice, link)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "another person" in answers[0].content.decode()
    assert _rows() == before
    assert entries("accounts.invitation.refused")


def test_an_existing_account_signs_in_to_accept(visitor: Browser, carol: Browser) -> None:
    person = make.enrolled(make.organisation())
    link = path_of(invitations.issue_link(invite(carol.organisation, email=person.user.email)))

    page = visitor.get(link)
    taken_over = accept(visitor, link)
    owner = Browser().sign_in(person.user)
    answer = owner.post(link)

    assert "Sign in to accept" in page.content.decode()
    assert taken_over.status_code == 200
    person.user.refresh_from_db()
    assert person.user.check_password(person.passphrase)
    assert answer.status_code == 302
    assert Membership.objects.filter(user=person.user).count() == 2


@pytest.mark.parametrize(
    "passphrase", ["", "short", "fourteen chars", "passwordpassword", "a" * 300]
)
def test_a_weak_passphrase_changes_nothing(visitor: Browser, link: str, passphrase: str) -> None:
    before = _rows()

    answer = accept(visitor, link, passphrase=passphrase)

    assert answer.status_code == 422
    assert _rows() == before


def test_a_wrong_first_code_adds_no_authenticator(visitor: Browser, link: str) -> None:
    accept(visitor, link)
    visitor.get("/enrolment/authenticator/")

    answer = visitor.post("/enrolment/authenticator/", {"code": "12345"})

    assert answer.status_code == 422
    assert not Authenticator.objects.exists()
    assert entries("accounts.factor.failed")


def test_a_wrong_recovery_code_does_not_finish(visitor: Browser, link: str) -> None:
    accept(visitor, link)
    secret = secret_on(visitor.get("/enrolment/authenticator/"))
    visitor.post("/enrolment/authenticator/", {"code": factors.totp_code(secret)})
    visitor.post("/enrolment/recovery-codes/")

    answer = visitor.post("/enrolment/recovery-codes/confirm/", {"code": "0000000000"})

    assert answer.status_code == 422
    assert visitor.get("/profile/").status_code == 302


def test_recovery_codes_are_shown_once(visitor: Browser, link: str) -> None:
    accept(visitor, link)
    secret = secret_on(visitor.get("/enrolment/authenticator/"))
    visitor.post("/enrolment/authenticator/", {"code": factors.totp_code(secret)})

    first = codes_on(visitor.post("/enrolment/recovery-codes/"))
    page = codes_on(visitor.get("/enrolment/recovery-codes/"))
    second = codes_on(visitor.post("/enrolment/recovery-codes/"))

    assert len(first) == len(second) == 10
    assert not page
    assert not set(first) & set(second)


def test_the_secret_offered_lies_sealed_in_the_session(visitor: Browser, link: str) -> None:
    accept(visitor, link)
    secret = secret_on(visitor.get("/enrolment/authenticator/"))

    data = SessionStore(key_of(visitor.cookies["sid"].value)).load()

    assert secret not in repr(data)


def test_another_invitation_withdraws_the_first(aurora: Organisation, visitor: Browser) -> None:
    first = path_of(invitations.issue_link(invite(aurora)))

    invite(aurora)

    assert visitor.get(first).status_code == 410


def test_a_forgotten_mail_is_found_by_the_sweep(aurora: Organisation) -> None:
    invitation = invitations.invite(
        email=ADDRESS, organisation=aurora, role=make.role("customer"), principal=TEST
    )
    assert invitation.pk not in invitations.due()

    Invitation.objects.filter(pk=invitation.pk).update(
        created_at=clock.now() - timedelta(minutes=1)
    )

    assert invitations.due() == [invitation.pk]


def _rows() -> tuple[int, ...]:
    models = (User, Membership, Authenticator, EmailAddress)
    return tuple(model.objects.count() for model in models)
