"""Staff decide on the evidence, and see no secret."""

import pytest

from accounts.types import OrganisationKind
from audit.models import AuditEvent
from integrations.partners import audit_events
from integrations.partners.models import ClientSecret, Onboarding
from integrations.partners.services import onboardings
from tests.factories import accounts, partners
from tests.factories.accounts import Browser
from tests.proofs import Tried

LIST = "/admin/partners/onboarding/"


@pytest.fixture
def staff() -> Browser:
    browser = accounts.browser("administrator", kind=OrganisationKind.OPERATOR)
    browser.user.is_staff = True
    browser.user.save(update_fields=["is_staff"])
    return browser


@pytest.fixture
def waiting() -> partners.Partner:
    partner = partners.in_sandbox(partners.key())
    onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)
    return partner


def _state(partner: partners.Partner) -> str:
    return Onboarding.objects.get(pk=partner.onboarding.pk).state


def test_staff_see_the_evidence_and_the_decisions_that_fit(
    staff: Browser, waiting: partners.Partner
) -> None:
    page = staff.get(f"{LIST}{waiting.onboarding.pk}/change/").content.decode()

    assert staff.get(LIST).status_code == 200
    assert "borealis.example" in page
    assert "Keeps supplier data current" in page
    assert f"{LIST}{waiting.onboarding.pk}/approve/" in page
    assert f"{LIST}{waiting.onboarding.pk}/suspend/" not in page


@pytest.mark.proof("partners: staff approve on evidence and never see a secret")
def test_staff_approve_with_a_reason_that_the_journal_keeps(
    staff: Browser, waiting: partners.Partner, tried: Tried
) -> None:
    path = f"{LIST}{waiting.onboarding.pk}/approve/"

    empty = staff.post(path, {"reason": ""})
    assert (empty.status_code, _state(waiting)) == (200, "awaiting_approval")

    answer = staff.post(path, {"reason": "Known company"}, follow=True)

    assert answer.status_code == 200
    assert _state(waiting) == "live"
    entry = AuditEvent.objects.get(type=audit_events.ONBOARDING_APPROVED.code)
    assert entry.content["reason"] == "Known company"
    assert entry.actor_id == staff.user.subject_id
    tried.case()


def test_staff_refuse_with_the_ground(staff: Browser, waiting: partners.Partner) -> None:
    staff.post(f"{LIST}{waiting.onboarding.pk}/refuse/", {"reason": "No such company"})

    assert _state(waiting) == "refused"


def test_a_decision_out_of_order_changes_nothing(staff: Browser, waiting: partners.Partner) -> None:
    for decision in ("suspend", "resume"):
        answer = staff.post(
            f"{LIST}{waiting.onboarding.pk}/{decision}/", {"reason": "Try"}, follow=True
        )
        assert answer.status_code == 200

    assert _state(waiting) == "awaiting_approval"


def test_no_page_of_the_admin_shows_a_secret_or_its_digest(staff: Browser) -> None:
    partner = partners.live()
    secret = partners.secret_of(partner.client(), partner.person)
    onboarding = partner.onboarding

    pages = [
        staff.get(f"{LIST}{onboarding.pk}/change/"),
        staff.get(f"/admin/partners/partnerclient/{partner.client().pk}/change/"),
        staff.get("/admin/partners/partnerclient/"),
    ]

    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert secret not in text
        assert ClientSecret.digest(secret) not in text
        assert onboarding.registration_hash not in text


def test_staff_without_the_right_look_and_decide_nothing(waiting: partners.Partner) -> None:
    browser = accounts.browser("security_officer", kind=OrganisationKind.OPERATOR)
    browser.user.is_staff = True
    browser.user.save(update_fields=["is_staff"])

    answer = browser.post(f"{LIST}{waiting.onboarding.pk}/approve/", {"reason": "Mine"})

    assert answer.status_code in {302, 403}
    assert _state(waiting) == "awaiting_approval"


def test_a_partner_cannot_reach_the_admin(waiting: partners.Partner) -> None:
    browser = accounts.browser("key_user", of=waiting.organisation)

    answer = browser.post(f"{LIST}{waiting.onboarding.pk}/approve/", {"reason": "Mine"})

    assert answer.status_code in {302, 403, 404}
    assert _state(waiting) == "awaiting_approval"


def test_nobody_edits_or_adds_an_onboarding_by_hand(
    staff: Browser, waiting: partners.Partner
) -> None:
    staff.post(f"{LIST}{waiting.onboarding.pk}/change/", {"state": "live"})

    assert staff.get(f"{LIST}add/").status_code == 404
    assert _state(waiting) == "awaiting_approval"
