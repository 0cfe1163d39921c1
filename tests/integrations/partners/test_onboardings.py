"""The partner's own steps, as services."""

import pytest
from django.core import mail

from accounts.models import Invitation, Organisation
from foundation.errors import Denied, Invalid, TooMany
from foundation.principals import Principal
from integrations.partners import agreements, domains, queries, tasks
from integrations.partners.errors import (
    AddressNotConfirmed,
    CertificateNeeded,
    LinkNotValid,
    MemberFixed,
    ReasonNeeded,
    WrongState,
)
from integrations.partners.models import ApprovalRule, Onboarding, OnboardingStep
from integrations.partners.services import approvals, mails, onboardings
from integrations.partners.services.onboardings import Description
from integrations.partners.types import ApprovalKind, Environment, OnboardingState
from tests.factories import partners


def _me(onboarding: Onboarding) -> Principal:
    return onboardings.registration_principal(onboarding)


def test_only_digests_of_both_tokens_are_stored() -> None:
    onboarding, token = partners.started()
    link = partners.link_of(onboarding)

    stored = Onboarding.objects.filter(pk=onboarding.pk).values().get()
    assert token not in str(stored)
    assert link not in str(stored)
    assert queries.onboarding_of_token(token) == onboarding


def test_the_address_is_sealed_and_found_by_its_index() -> None:
    onboarding, _token = partners.started("Dev@Borealis.example")

    assert Onboarding.objects.get(pk=onboarding.pk).contact_email == "Dev@Borealis.example"
    assert Onboarding.objects.matching(contact_email="dev@borealis.example") == [onboarding]


def test_a_link_confirms_once() -> None:
    onboarding, _token = partners.started()
    link = partners.link_of(onboarding)

    confirmed = onboardings.confirm_address(link)

    assert confirmed.state == OnboardingState.ADDRESS_CONFIRMED
    with pytest.raises(LinkNotValid):
        onboardings.confirm_address(link)


def test_a_confirmation_is_mailed_once_however_often_it_is_asked_for() -> None:
    onboarding, _token = partners.started()

    mails.send_confirmation(onboarding.pk)
    mails.send_confirmation(onboarding.pk)

    assert len(mail.outbox) == 1


def test_nothing_is_described_before_the_address_is_confirmed() -> None:
    onboarding, _token = partners.started()

    with pytest.raises(AddressNotConfirmed):
        onboardings.describe(onboarding.pk, partners.description(), principal=_me(onboarding))


def test_an_unfinished_description_waits_for_the_rest() -> None:
    onboarding, _token = partners.confirmed()

    onboardings.describe(
        onboarding.pk, Description(organisation_name="Borealis"), principal=_me(onboarding)
    )

    assert Onboarding.objects.get(pk=onboarding.pk).state == OnboardingState.ADDRESS_CONFIRMED


def test_a_full_description_makes_the_organisation_and_invites_the_contact() -> None:
    onboarding, _token = partners.described()

    assert onboarding.state == OnboardingState.DOMAIN_PROVED
    assert onboarding.organisation is not None
    assert onboarding.organisation.kind == "partner"
    invitation = Invitation.objects.get(organisation=onboarding.organisation)
    assert (invitation.email, invitation.role.code) == (partners.EMAIL, "key_user")


@pytest.mark.parametrize("domain", ["gmail.com", "mail.gmail.com", "web.de", "localhost"])
def test_a_public_mail_provider_proves_no_domain(domain: str) -> None:
    assert not domains.speaks_for_organisation(domain)


def test_an_onboarding_from_a_public_provider_stays_described_without_organisation() -> None:
    before = Organisation.objects.count()

    onboarding, _token = partners.described(email="somebody@gmail.com")

    assert onboarding.state == OnboardingState.DESCRIBED
    step = onboardings.next_step(onboarding)
    assert step is not None
    assert step.code == "prove_domain"
    assert Organisation.objects.count() == before


@pytest.mark.parametrize("member", ["organisation_name", "contact_name", "purpose"])
@pytest.mark.parametrize(
    "text", ["Borealis\r\nOpen http://x.test", "Borealis\u202eexe", "a\u2028b"]
)
def test_a_description_that_is_not_one_line_is_refused(member: str, text: str) -> None:
    onboarding, _token = partners.confirmed()

    with pytest.raises(Invalid) as refusal:
        onboardings.describe(
            onboarding.pk,
            Description(**{member: text}),  # type: ignore[arg-type]  # each is a text
            principal=_me(onboarding),
        )

    assert [error.pointer for error in refusal.value.errors] == [f"/{member}"]


def test_the_name_is_fixed_once_the_organisation_exists() -> None:
    onboarding, _token = partners.described()

    with pytest.raises(MemberFixed):
        onboardings.describe(
            onboarding.pk, Description(organisation_name="Other"), principal=_me(onboarding)
        )

    changed = onboardings.describe(
        onboarding.pk, Description(purpose="Another purpose"), principal=_me(onboarding)
    )
    assert changed.purpose == "Another purpose"


@pytest.mark.parametrize("scope", ["onboarding:write", "everything", "records:read "])
def test_a_scope_nobody_can_grant_is_refused_by_its_place(scope: str) -> None:
    onboarding, _token = partners.confirmed()

    with pytest.raises(Invalid) as refused:
        onboardings.describe(
            onboarding.pk,
            partners.description(scopes=("records:read", scope)),
            principal=_me(onboarding),
        )

    assert refused.value.errors[0].pointer == "/wanted_scopes/1"


def test_terms_that_changed_meanwhile_are_not_accepted() -> None:
    onboarding, _token = partners.described()
    shown = {**agreements.digests(), "api-terms": "0" * 64}

    with pytest.raises(Invalid):
        onboardings.accept_terms(
            onboarding.pk, digests=shown, principal=_me(onboarding), user_id=onboarding.pk
        )

    assert Onboarding.objects.get(pk=onboarding.pk).state == OnboardingState.DOMAIN_PROVED


def test_accepting_keeps_version_and_digest_and_opens_the_sandbox() -> None:
    partner = partners.in_sandbox(partners.key())

    step = OnboardingStep.objects.get(onboarding=partner.onboarding, to_state="agreed")
    assert step.evidence["api-terms"]["digest"] == agreements.digests()["api-terms"]
    assert step.actor_id == partner.person.id
    client = partner.client(Environment.SANDBOX)
    assert client.organisation_id == partner.organisation.pk
    assert client.acts_in_id == partner.onboarding.sandbox_organisation_id
    assert client.acts_in_id != partner.organisation.pk


def test_a_rule_with_certificate_lets_nobody_past_the_bench() -> None:
    partner = partners.in_sandbox(partners.key())
    ApprovalRule.objects.create(
        kind=ApprovalKind.STAFF, changed_at=partner.onboarding.changed_at, reason="The bench is on"
    )

    with pytest.raises(CertificateNeeded):
        onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)


def test_approval_makes_the_live_client_of_the_organisation_itself() -> None:
    partner = partners.live(partners.key())

    client = partner.client()
    assert partner.onboarding.state == OnboardingState.LIVE
    assert client.acts_in_id == client.organisation_id == partner.organisation.pk
    assert sorted(client.allowed_scopes) == sorted(partners.SCOPES)


def test_nobody_but_staff_with_the_right_decides() -> None:
    partner = partners.in_sandbox(partners.key())
    onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)
    insiders = (partner.person, partners.staff("integrations.onboarding.read"))

    for principal in insiders:
        with pytest.raises(Denied):
            approvals.approve(partner.onboarding.pk, reason="Mine", principal=principal)

    assert Onboarding.objects.get(pk=partner.onboarding.pk).state == "awaiting_approval"


def test_a_decision_needs_its_reason() -> None:
    partner = partners.in_sandbox(partners.key())
    onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)

    with pytest.raises(ReasonNeeded):
        approvals.refuse(partner.onboarding.pk, reason="  ", principal=partners.staff())


def test_a_refused_partner_is_told_why_and_its_sandbox_stops() -> None:
    partner = partners.in_sandbox(partners.key())
    onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)

    approvals.refuse(partner.onboarding.pk, reason="No such company", principal=partners.staff())
    mails.send_decision(partner.onboarding.pk)

    assert "No such company" in str(mail.outbox[-1].body)
    assert mail.outbox[-1].to == [partners.EMAIL]
    assert not partner.client(Environment.SANDBOX).is_usable(None)


def test_a_suspended_partner_stops_and_works_again_when_resumed() -> None:
    partner = partners.live(partners.key())
    staff = partners.staff()

    approvals.suspend(partner.onboarding.pk, reason="Odd traffic", principal=staff)
    assert not partner.client().is_usable(None)

    approvals.resume(partner.onboarding.pk, reason="Explained", principal=staff)
    assert partner.client().is_usable(None)


def test_resuming_is_no_way_around_the_approval() -> None:
    partner = partners.in_sandbox(partners.key())
    onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)

    with pytest.raises(WrongState):
        approvals.resume(partner.onboarding.pk, reason="Try", principal=partners.staff())


def test_a_net_may_start_twenty_onboardings_an_hour() -> None:
    for place in range(20):
        partners.started(f"dev{place}@borealis.example")

    with pytest.raises(TooMany):
        partners.started("one.more@borealis.example")


def test_a_strangers_mailbox_gets_five_links_a_day_at_most() -> None:
    for _turn in range(8):
        onboarding, _token = partners.started()
        mails.send_confirmation(onboarding.pk)

    assert len(mail.outbox) == 5


def test_tasks_take_ids_and_do_nothing_the_second_time() -> None:
    onboarding, _token = partners.started()

    for _turn in range(2):
        tasks.mail_confirmation(str(onboarding.pk))
        tasks.mail_decision(str(onboarding.pk))

    assert len(mail.outbox) == 1


def test_an_approved_partner_is_told_without_any_secret() -> None:
    partner = partners.live(partners.key())

    tasks.mail_decision(str(partner.onboarding.pk))

    body = str(mail.outbox[-1].body)
    assert mail.outbox[-1].to == [partners.EMAIL]
    assert "/partners/" in body
    assert partner.client().client_id not in body
