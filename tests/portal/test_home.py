"""The home page: cards that have something to say, and no more statements than agreed."""

import pytest

from accounts.types import OrganisationKind
from privacy.services import exports
from tests.factories import accounts as people
from tests.factories import privacy as own_data
from tests.factories import records
from tests.factories.accounts import Browser, queries_at_most

HOME_QUERIES = 9


def titles(browser: Browser) -> list[str]:
    """Return the titles of the cards a person is shown."""
    return [str(card.title) for card in browser.get("/").context["cards"]]


def test_people_with_records_see_the_card_of_records(alice: Browser, kim: Browser) -> None:
    records.record(alice.principal)

    assert titles(alice) == ["Records"]
    assert "Records" in titles(kim)


@pytest.mark.parametrize("role", ["security_officer", "data_protection_officer"])
def test_who_has_no_card_is_told_what_will_appear(role: str) -> None:
    browser = people.browser(role, kind=OrganisationKind.OPERATOR)

    assert titles(browser) == []
    assert "Nothing waits for you" in browser.get("/").content.decode()


def test_a_planned_erasure_is_said_first_thing(alice: Browser) -> None:
    own_data.planned(alice.user)

    page = alice.get("/").content.decode()

    assert "My data" in titles(alice)
    assert "Your data will be erased. It begins on" in page
    assert "See or cancel it" in page


def test_a_copy_that_waits_is_said(alice: Browser) -> None:
    waiting = own_data.asked(alice.user)
    assert "My data" not in titles(alice)
    exports.run(waiting.pk)

    assert "The copy of your data is ready." in alice.get("/").content.decode()


def test_the_page_keeps_its_budget_of_queries(alice: Browser) -> None:
    for _turn in range(5):
        records.record(alice.principal)
    own_data.ready(alice.user)
    alice.get("/")

    with queries_at_most(HOME_QUERIES):
        assert alice.get("/").status_code == 200


def test_visitors_are_led_to_the_sign_in_page(visitor: Browser) -> None:
    assert visitor.get("/")["Location"] == "/sign-in/?next=/"
