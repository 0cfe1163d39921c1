"""Every page, both themes, four languages: no axe finding, no policy report, no console error."""

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.demo.people import STEP_SECONDS, DemoPerson
from tests.e2e import journey as steps
from tests.e2e.browser import new_visitor
from tests.e2e.journey import Journey, PartnerProgram
from tests.e2e.people import Person, sign_in
from tests.e2e.stack import Stack, open_folder, running_stack
from tests.e2e.walking import (
    Walk,
    look_at,
    names_without_pages,
    page_names,
    walk_as,
    walk_as_visitor,
)
from tests.fakes.https import HttpsServer
from tests.proofs import Tried

KEY_USER = "kim"


@pytest.fixture(scope="module")
def demo() -> Iterator[Stack]:
    with open_folder() as folder:
        started = running_stack(folder / "data", extra={"TEST_CLOCK": "no"}, options=("--demo",))
        with started as running:
            yield running


@pytest.fixture(scope="module")
def people(demo: Stack, browser: Browser) -> dict[str, Person]:
    text = (demo.data / "demo.json").read_text(encoding="utf-8")
    found = [DemoPerson(**item) for item in json.loads(text)]
    used = int(time.time()) // STEP_SECONDS  # the enrolment may have used the present code
    return {item.email.split(".")[0]: _signed_in(item, browser, demo, used) for item in found}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.proof(
    "frame: every page, both themes, four languages: no axe violation, no policy report, no "
    "console error"
)
def test_every_page_in_both_themes_and_four_languages_is_clean(
    stack: Stack, demo: Stack, browser: Browser, erp: HttpsServer, tried: Tried
) -> None:
    walk = Walk()
    journey = Journey(stack, browser, look=lambda page: look_at(walk, page))
    _fill(journey, erp)

    walk_as_visitor(walk, journey.visitor())
    for person in journey.people.values():
        walk_as(walk, person)
    walk_as_visitor(walk, new_visitor(browser, demo.address), only=("/demo/", "/demo/mail/"))

    findings = sorted(set(walk.findings))
    assert not findings, "\n".join(findings)
    unseen = sorted(page_names() - walk.names - names_without_pages(journey.people["ada"].visitor))
    assert not unseen, "pages that nobody saw: " + ", ".join(unseen)
    assert reports_of(stack) + reports_of(demo) == []
    tried.case(walk.pages)
    tried.figure(f"{len(walk.names)} URL names, {walk.pages} pages looked at")


def _fill(journey: Journey, erp: HttpsServer) -> None:
    """Let there be something on every page: people, records, keys, partners, alerts, requests."""
    program = PartnerProgram()
    steps.set_up(journey)
    steps.choose_alert_channel(journey)
    steps.invite_customer(journey)
    steps.enrol_customer(journey)
    steps.create_own_record(journey)
    steps.create_device(journey)
    steps.store_and_test_key(journey, probe_url=erp.url("/me"))
    steps.start_onboarding(journey, program, with_key=False)
    steps.accept_terms(journey, program)
    steps.approve_partner(journey, program)
    steps.make_secret(journey)
    steps.guess_passphrase(journey, victim="nobody@acme.example", is_known=False)
    steps.ask_copy(journey)
    steps.leave_invitation_open(journey)
    steps.sign_in_elsewhere(journey)
    steps.take_every_permission(journey)
    steps.rotate_keys(journey)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.proof("frame: sign-in works by keyboard alone, with visible focus")
def test_sign_in_works_by_keyboard_alone(
    demo: Stack, browser: Browser, people: dict[str, Person], tried: Tried
) -> None:
    person = people[KEY_USER]
    page = new_visitor(browser, demo.address).page
    page.goto("/")

    for words in (person.email, person.passphrase):
        tab_to_next_field(page)
        assert focus_is_visible(page)
        page.keyboard.type(words)
        tried.case()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")
    tab_to_next_field(page)
    page.keyboard.type(person.code())
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    tried.case()


def _signed_in(item: DemoPerson, browser: Browser, demo: Stack, used: int) -> Person:
    visitor = new_visitor(browser, demo.address)
    person = Person(item.email, item.passphrase, item.totp_secret, [], visitor, used)
    sign_in(person)
    return person


def reports_of(demo: Stack) -> list[str]:
    """Return the policy reports that the portal received from the browser."""
    return [line for line in demo.output if "web.csp_report" in line]


def tab_to_next_field(page: Page) -> None:
    """Press Tab until a field has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('input:not([type=hidden])')"):
            return
    raise AssertionError("no field can be reached by Tab")


def focus_is_visible(page: Page) -> bool:
    """Say whether the focused element has an outline or a ring."""
    return bool(
        page.evaluate(
            "(() => { const style = getComputedStyle(document.activeElement);"
            " return style.outlineStyle !== 'none' || style.boxShadow !== 'none'; })()"
        )
    )
