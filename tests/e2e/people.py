"""People of the journeys: what a person does in the browser to get in."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from portal.demo.people import STEP_SECONDS, current_code
from tests.e2e.browser import Visitor
from tests.e2e.stack import Mailbox, link_in

Look = Callable[[Page], None]


@dataclass(slots=True)
class Person:
    """Somebody with the means to sign in.

    Attributes:
        email: address.
        passphrase: as typed at enrolment.
        totp_secret: as shown under the QR code.
        recovery_codes: the ten that were shown once.
        visitor: browser profile.
        last_step: number of the 30 seconds whose code was used last; a code works once.
    """

    email: str
    passphrase: str
    totp_secret: str
    recovery_codes: list[str]
    visitor: Visitor
    last_step: int = 0

    @property
    def page(self) -> Page:
        """The person's open tab."""
        return self.visitor.page

    def code(self) -> str:
        """Wait for a code that was not used yet, as a person does, and return it."""
        while (step := int(time.time()) // STEP_SECONDS) <= self.last_step:
            time.sleep(0.5)
        self.last_step = step
        return current_code(self.totp_secret)


def new_passphrase() -> str:
    """Return a random passphrase, which later must be found nowhere."""
    return f"journey {secrets.token_hex(4)} of many {secrets.token_hex(4)} words"


def submit(page: Page, name: str) -> None:
    """Press a button of the page's content by its words."""
    page.get_by_role("main").get_by_role("button", name=name).click()


def nothing(_page: Page) -> None:
    """Do nothing with the page that one comes by."""


def enrol(visitor: Visitor, link: str, *, email: str, name: str, look: Look = nothing) -> Person:
    """Go from an invitation to the home page: passphrase, authenticator, recovery codes."""
    page, passphrase = visitor.page, new_passphrase()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Accept the invitation")
    look(page)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("New passphrase").fill(passphrase)
    submit(page, "Accept and continue")
    look(page)
    key = page.locator("[data-copy]").inner_text()
    secret = "".join(key.split())
    person = Person(email, passphrase, secret, [], visitor)
    page.get_by_role("textbox", name="Code").fill(person.code())
    submit(page, "Continue")
    look(page)
    submit(page, "Show my codes")
    shown = page.get_by_role("main").inner_text().split()
    person.recovery_codes = [word for word in shown if len(word) == 10 and word.isdigit()]
    assert len(person.recovery_codes) == 10
    page.get_by_role("textbox", name="Code").fill(person.recovery_codes[0])
    submit(page, "I have kept them")
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    return person


def enrol_by_mail(
    visitor: Visitor, mailbox: Mailbox, *, email: str, name: str, look: Look = nothing
) -> Person:
    """Wait for the invitation mail and go through the enrolment."""
    mail = mailbox.wait_for(to=email, containing="/invitations/")
    link = link_in(mail, containing="/invitations/")
    return enrol(visitor, link, email=email, name=name, look=look)


def sign_in(person: Person, *, look: Look = nothing) -> None:
    """Sign in with passphrase and code."""
    page = person.page
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Passphrase").fill(person.passphrase)
    submit(page, "Continue")
    look(page)
    page.get_by_role("textbox", name="Code").fill(person.code())
    submit(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


def step_up_if_asked(person: Person) -> None:
    """Prove the strong factor again where the page asks for it, in whatever language."""
    if "/step-up/" in person.page.url:
        field = person.page.locator("#id_code")
        field.fill(person.code())
        field.press("Enter")
        person.page.wait_for_url(lambda address: "/step-up/" not in address)
