"""Pages of the vault in the browsers of the cast."""

from http import HTTPStatus
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Organisation
from foundation.tenancy import organisation_scope
from integrations.vault.models import Credential, HealthResult
from integrations.vault.services import run_test
from integrations.vault.types import CredentialState, ResultState
from tests.factories import accounts
from tests.factories.accounts import Browser
from tests.factories.vault import HEADER, KEY


@pytest.fixture
def alan(aurora: Organisation) -> Browser:
    """Alan, who administers Alice's organisation."""
    return accounts.browser("administrator", of=aurora, name="Alan Archer")


@pytest.fixture
def alba() -> Browser:
    """Alba, who administers another organisation."""
    return accounts.browser("administrator", name="Alba Abel")


def page(name: str, *args: object) -> str:
    return reverse(f"vault:{name}", args=args)


def form(browser: Browser, **given: str) -> dict[str, str]:
    return {
        "name": "ERP, read orders",
        "purpose": "show order states",
        "header": HEADER,
        "key": KEY,
        "hosts": "api.example.com",
        "probe_url": "https://api.example.com/me",
        "owner": str(browser.user.pk),
        **given,
    }


def stored(browser: Browser, **given: str) -> Credential:
    answer = browser.post(page("create"), form(browser, **given))
    assert answer.status_code == HTTPStatus.FOUND, answer.content.decode()
    with organisation_scope(browser.organisation.pk):
        return Credential.objects.order_by("-created_at")[0]


def test_a_key_is_stored_in_the_browser_and_never_shown_again(alan: Browser) -> None:
    credential = stored(alan)

    for address in (
        page("list"),
        page("detail", credential.pk),
        page("replace", credential.pk),
        page("destroy", credential.pk),
        page("create"),
    ):
        answer = alan.get(address)
        assert answer.status_code == HTTPStatus.OK
        assert KEY not in answer.content.decode()


def test_a_refused_form_does_not_send_the_key_back(alan: Browser) -> None:
    answer = alan.post(page("create"), form(alan, hosts="https://no"))

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert KEY not in answer.content.decode()
    assert "ERP, read orders" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a\x00b"},
        {"name": "x" * 1_000_000},
        {"key": "a\x00b\r\nX-Evil: 1"},
        {"hosts": "\x00"},
        {"hosts": "127.0.0.1 \ud800"},
        {"probe_url": "https://127.0.0.1/"},
        {"probe_url": "javascript:alert(1)"},
        {"owner": str(uuid4())},
        {"owner": "x"},
    ],
)
def test_bad_input_stores_nothing(alan: Browser, wrong: dict[str, str]) -> None:
    given = form(alan) | wrong
    sent = {name: text.encode("utf-8", "surrogatepass") for name, text in given.items()}

    answer = alan.post(page("create"), sent)

    assert answer.status_code in {422, 400, 413}
    assert KEY not in answer.content.decode()
    with organisation_scope(alan.organisation.pk):
        assert not Credential.objects.exists()


def test_the_test_button_leads_to_a_page_that_asks_again_until_it_is_done(alan: Browser) -> None:
    credential = stored(alan, hosts="localhost", probe_url="https://localhost:8443/me")

    asked = alan.post(page("test", credential.pk))
    waiting = alan.get(asked["Location"], headers={"HX-Request": "true"})
    with organisation_scope(alan.organisation.pk):
        result = HealthResult.objects.get()
    run_test(alan.organisation.pk, result.pk)
    done = alan.get(asked["Location"], headers={"HX-Request": "true"})
    whole = alan.get(asked["Location"])

    assert 'hx-trigger="every 2s"' in waiting.content.decode()
    assert "hx-trigger" not in done.content.decode()
    assert "private network" in done.content.decode()
    assert "<html" not in done.content.decode()
    assert "<html" in whole.content.decode()
    with organisation_scope(alan.organisation.pk):
        assert HealthResult.objects.get().state == ResultState.FAILED


def test_destroying_asks_for_the_name_and_cannot_be_undone(alan: Browser) -> None:
    credential = stored(alan)

    slip = alan.post(page("destroy", credential.pk), {"name": "something else"})
    alan.post(page("destroy", credential.pk), {"name": credential.name})

    assert slip.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    with organisation_scope(alan.organisation.pk):
        credential.refresh_from_db()
    assert credential.state == CredentialState.DESTROYED
    again = alan.post(page("test", credential.pk), follow=True)
    assert "disabled or destroyed" in again.content.decode()


def test_a_replaced_key_names_the_version_it_takes_the_place_of(alan: Browser) -> None:
    credential = stored(alan)
    new = {"header": HEADER, "key": "another planted key", "replaces": "1"}

    first = alan.post(page("replace", credential.pk), new)
    stale = alan.post(page("replace", credential.pk), new)

    assert first.status_code == HTTPStatus.FOUND
    assert stale.status_code == HTTPStatus.CONFLICT
    assert "another planted key" not in stale.content.decode()


def test_who_may_not_manage_credentials_is_refused(alice: Browser, alan: Browser) -> None:
    credential = stored(alan)

    for address in (page("list"), page("create"), page("detail", credential.pk)):
        assert alice.get(address).status_code == HTTPStatus.FORBIDDEN
    assert alice.post(page("create"), form(alice)).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
@pytest.mark.parametrize("name", ["detail", "test", "replace", "destroy"])
def test_a_foreign_id_answers_like_one_that_never_was(
    alan: Browser, alba: Browser, name: str, method: str
) -> None:
    credential = stored(alan)

    foreign = getattr(alba, method)(page(name, credential.pk))
    unknown = getattr(alba, method)(page(name, uuid4()))

    assert foreign.status_code == unknown.status_code
    assert foreign.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    assert "ERP, read" not in foreign.content.decode()


def test_a_foreign_result_is_not_found(alan: Browser, alba: Browser) -> None:
    credential = stored(alan)
    address = alan.post(page("test", credential.pk))["Location"]

    assert alba.get(address).status_code == HTTPStatus.NOT_FOUND


def test_an_empty_vault_says_what_a_credential_is(alan: Browser) -> None:
    assert "No credentials yet" in alan.get(page("list")).content.decode()
