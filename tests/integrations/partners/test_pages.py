"""Pages of partners: what a key user sees, does once, and nobody else can."""

import re

import pytest

from accounts import assurance
from accounts.session_engine import SessionStore, key_of
from foundation import clock
from integrations.partners.models import ClientSecret, Onboarding, PartnerClient
from integrations.partners.types import Environment, OnboardingState
from tests.factories import accounts, partners
from tests.factories.accounts import Browser
from tests.proofs import Tried


def _key_user(partner: partners.Partner) -> Browser:
    return accounts.browser("key_user", of=partner.organisation, name="Paula Partner")


def _waiting() -> tuple[Onboarding, Browser]:
    onboarding, _token = partners.described(partners.key())
    assert onboarding.organisation is not None
    return onboarding, accounts.browser("key_user", of=onboarding.organisation)


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)
    assert found is not None, name
    return found[1]


def _forget_the_proof(browser: Browser) -> None:
    secret = browser.cookies["sid"].value
    store = SessionStore(key_of(secret))
    store[assurance.PROVED_AT_KEY] = clock.now().timestamp() - 301
    store.save()


def _terms_form(browser: Browser) -> dict[str, str]:
    page = browser.get("/partners/terms/").content.decode()
    return {
        "api_terms": "on",
        "data_processing": "on",
        "api_terms_digest": _hidden(page, "api_terms_digest"),
        "data_processing_digest": _hidden(page, "data_processing_digest"),
    }


def test_a_key_user_reads_and_accepts_the_terms() -> None:
    onboarding, browser = _waiting()

    form = _terms_form(browser)
    answer = browser.post("/partners/terms/", form, follow=True)

    assert answer.redirect_chain == [("/partners/", 302)]
    assert Onboarding.objects.get(pk=onboarding.pk).state == OnboardingState.SANDBOX
    assert "Sandbox" in answer.content.decode()


def test_terms_need_both_ticks_and_say_what_is_missing() -> None:
    onboarding, browser = _waiting()

    form = _terms_form(browser)
    del form["data_processing"]
    answer = browser.post("/partners/terms/", form)

    assert answer.status_code == 422
    assert Onboarding.objects.get(pk=onboarding.pk).state == OnboardingState.DOMAIN_PROVED


def test_terms_ask_for_a_fresh_proof() -> None:
    onboarding, browser = _waiting()
    form = _terms_form(browser)
    _forget_the_proof(browser)

    answer = browser.post("/partners/terms/", form)

    assert answer.status_code == 302
    assert "step-up" in answer["Location"]
    assert Onboarding.objects.get(pk=onboarding.pk).state == OnboardingState.DOMAIN_PROVED


def test_a_member_without_the_right_cannot_accept() -> None:
    onboarding, _browser = _waiting()
    assert onboarding.organisation is not None
    member = accounts.browser("partner", of=onboarding.organisation)

    assert member.get("/partners/terms/").status_code == 403


def test_a_form_sent_twice_has_one_effect() -> None:
    onboarding, browser = _waiting()
    form = _terms_form(browser)

    browser.post("/partners/terms/", form)
    again = browser.post("/partners/terms/", form, follow=True)

    assert again.status_code == 200
    assert PartnerClient.objects.filter(onboarding=onboarding).count() == 1


@pytest.mark.proof("partners: a client secret is shown once, on the partner's own page")
def test_a_secret_is_shown_once_and_in_no_later_page(tried: Tried) -> None:
    partner = partners.live()
    client, browser = partner.client(), _key_user(partner)
    path = f"/partners/clients/{client.pk}/secrets/new/"

    form_id = _hidden(browser.get(path).content.decode(), "form_id")
    shown = browser.post(path, {"form_id": form_id})
    found = re.search(r"[A-Za-z2-9]{128}", shown.content.decode())
    assert found is not None
    assert "no-store" in shown["Cache-Control"]
    assert ClientSecret.objects.get(client=client).matches(found[0])

    again = browser.post(path, {"form_id": form_id}, follow=True)
    detail = browser.get(f"/partners/clients/{client.pk}/")
    overview = browser.get("/partners/")
    for page in (again, detail, overview):
        assert page.status_code == 200
        assert found[0] not in page.content.decode()
    assert client.secrets.count() == 1
    tried.case()


def test_a_secret_form_that_was_never_shown_makes_none() -> None:
    partner = partners.live()
    client, browser = partner.client(), _key_user(partner)

    answer = browser.post(f"/partners/clients/{client.pk}/secrets/new/", {"form_id": "spoilt"})

    assert answer.status_code == 422
    assert "Use the button below" in answer.content.decode()
    assert not client.secrets.exists()


def test_a_secret_asks_for_a_fresh_proof() -> None:
    partner = partners.live()
    client, browser = partner.client(), _key_user(partner)
    path = f"/partners/clients/{client.pk}/secrets/new/"
    form_id = _hidden(browser.get(path).content.decode(), "form_id")
    _forget_the_proof(browser)

    for answer in (browser.get(path), browser.post(path, {"form_id": form_id})):
        assert answer.status_code == 302
        assert "step-up" in answer["Location"]
    assert not client.secrets.exists()


def test_a_client_with_its_own_key_offers_no_secret() -> None:
    partner = partners.live(partners.key())
    client, browser = partner.client(), _key_user(partner)
    path = f"/partners/clients/{client.pk}/secrets/new/"

    assert "Make a secret" not in browser.get(f"/partners/clients/{client.pk}/").content.decode()
    form_id = _hidden(browser.get(path).content.decode(), "form_id")
    answer = browser.post(path, {"form_id": form_id}, follow=True)
    assert "its own key" in answer.content.decode()
    assert not client.secrets.exists()


def test_a_client_is_revoked_on_a_page_that_says_what_is_lost() -> None:
    partner = partners.live(partners.key())
    client, browser = partner.client(), _key_user(partner)
    path = f"/partners/clients/{client.pk}/revoke/"

    page = browser.get(path).content.decode()
    browser.post(path)

    client.refresh_from_db()
    assert client.name in page
    assert not client.is_usable(None)
    assert client.revoked_at is not None


def test_one_secret_is_revoked_and_the_other_stays() -> None:
    partner = partners.live()
    client, browser = partner.client(), _key_user(partner)
    first = partners.secret_of(client, partner.person)
    partners.secret_of(client, partner.person)
    row = ClientSecret.objects.get(hash=ClientSecret.digest(first))
    path = f"/partners/clients/{client.pk}/secrets/{row.pk}/revoke/"

    assert browser.get(path).status_code == 200
    browser.post(path)

    assert [item.is_live(clock.now()) for item in client.secrets.order_by("id")] == [False, True]


def test_approval_is_asked_for_by_a_button() -> None:
    partner = partners.in_sandbox(partners.key())
    browser = _key_user(partner)

    assert "Ask for approval" in browser.get("/partners/").content.decode()
    browser.post("/partners/approval/")

    assert Onboarding.objects.get(pk=partner.onboarding.pk).state == "awaiting_approval"


@pytest.mark.parametrize(
    "path",
    [
        "/partners/clients/{client}/",
        "/partners/clients/{client}/revoke/",
        "/partners/clients/{client}/secrets/new/",
        "/partners/clients/{client}/secrets/{secret}/revoke/",
    ],
)
def test_another_organisation_finds_nothing_by_any_verb(path: str) -> None:
    victim = partners.live()
    client = victim.client()
    partners.secret_of(client, victim.person)
    secret = ClientSecret.objects.get(client=client)
    stranger = partners.live(email="dev@auster.example")
    mallory = _key_user(stranger)
    own = stranger.client()
    address = path.format(client=client.pk, secret=secret.pk)
    crossed = path.format(client=own.pk, secret=secret.pk)

    answers = [mallory.get(address), mallory.post(address, {"form_id": own.pk})]
    if "{secret}" in path:
        answers += [mallory.get(crossed), mallory.post(crossed)]

    for answer in answers:
        assert answer.status_code in {404, 405}, (answer.status_code, address)
        assert client.client_id not in answer.content.decode()
    assert client.secrets.filter(revoked_at__isnull=True).count() == 1
    assert PartnerClient.objects.get(pk=client.pk).revoked_at is None


def test_the_list_shows_the_clients_of_the_own_organisation_alone() -> None:
    partner = partners.live(partners.key())
    other = partners.live(partners.key(), email="dev@auster.example")

    page = _key_user(partner).get("/partners/").content.decode()

    for environment in Environment:
        assert str(partner.client(environment).pk) in page
        assert str(other.client(environment).pk) not in page


def test_a_customer_has_no_partner_pages() -> None:
    browser = accounts.browser("customer")

    assert browser.get("/partners/").status_code == 403


def test_the_address_is_confirmed_by_pressing_not_by_opening() -> None:
    onboarding, _token = partners.started()
    link = partners.link_of(onboarding)
    visitor = Browser()

    visitor.get(f"/partners/confirm/{link}/")
    assert Onboarding.objects.get(pk=onboarding.pk).state == "started"

    visitor.post(f"/partners/confirm/{link}/")
    assert Onboarding.objects.get(pk=onboarding.pk).state == "address_confirmed"
