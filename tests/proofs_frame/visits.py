"""Who can see which forms: people at every stage, each with the addresses to look at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core import mail

from accounts import factors
from accounts.models import Invitation, OneTimeLink, Role, RolePermission
from accounts.services import invitations, set_up, signup
from accounts.types import OrganisationKind
from foundation import clock
from foundation.access.permissions import permissions
from foundation.identifiers import uuid7
from tests.architecture.test_guards import patterns
from tests.factories import accounts, partners
from tests.factories.accounts import PASSPHRASE, TEST, Browser
from tests.proofs_frame.routes import routes_into
from tests.proofs_frame.world import made_world, mighty

# Read by machines, or answered without a form.
# Before an address whose page is the answer to a POST.
POSTED = "POST "
NOT_PAGES = ("api/", "oauth2/", ".well-known/", "health/", "csp-report", "^static", "sign-out/")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody's browser and the pages they look at."""

    who: str
    browser: Browser
    addresses: tuple[str, ...]


def visits() -> Iterator[Visit]:
    """Give everybody, each made when it is their turn."""
    yield Visit("first administrator", _browser(), (f"/setup/{set_up.make_code()}/",))
    yield Visit("visitor", _browser(), _plain_addresses())
    yield from _enrolment()
    yield _between_factors()
    world = made_world()
    into = tuple(route.address(route.real) for route in routes_into(world) if not route.is_api)
    shown = ("/records/new/company/", "/records/new/device/", "/records/new/contact/")
    yield Visit("member", _seeing(world.owner), (*_plain_addresses(), *shown, *into))
    yield Visit("staff", _seeing(staff()), (*_plain_addresses(), *into))
    yield _before_terms()


def _plain_addresses() -> tuple[str, ...]:
    return tuple(
        f"/{route}"
        for _name, route, _view in patterns()
        if "<" not in route and "(" not in route and not route.startswith(NOT_PAGES)
    )


def _browser() -> Browser:
    return Browser(raise_request_exception=False)


def _seeing(browser: Browser) -> Browser:
    browser.raise_request_exception = False
    return browser


def _enrolment() -> Iterator[Visit]:
    browser, invitation = _browser(), _invitation_link()
    yield Visit("invited", browser, (invitation,))
    browser.post(invitation, {"display_name": "Ida Invited", "passphrase": PASSPHRASE})
    yield Visit("enrolling", browser, ("/enrolment/authenticator/", "/sign-in/unfinished/"))
    page = browser.get("/enrolment/authenticator/")
    secret = str(page.context["secret"]).replace(" ", "")
    code = factors.totp_code(secret, counter=int(clock.now().timestamp()) // 30)
    browser.post("/enrolment/authenticator/", {"code": code})
    browser.post("/enrolment/recovery-codes/")
    yield Visit("keeping codes", browser, (f"{POSTED}/enrolment/recovery-codes/",))
    yield Visit("coming back", _browser(), (_enrolment_address(),))


def _enrolment_address() -> str:
    """Ask for a new mail as somebody who went away after the passphrase."""
    invitation = _invitation("bea@example.test")
    signup.begin(invitation, passphrase=PASSPHRASE, display_name="Bea Back", language="en")
    signup.request_link("bea@example.test")
    signup.send_link(OneTimeLink.objects.get(user__email="bea@example.test").pk)
    found = re.search(r"(/enrolment/link/\S+/)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def _invitation_link() -> str:
    return urlsplit(invitations.issue_link(_invitation("ida@example.test"))).path


def _invitation(email: str) -> Invitation:
    return invitations.invite(
        email=email,
        organisation=accounts.organisation(),
        role=accounts.role("customer"),
        principal=TEST,
        by_mail=False,
    )


def _between_factors() -> Visit:
    person = accounts.enrolled(accounts.organisation())
    browser = _browser()
    browser.post("/sign-in/", {"login": person.user.email, "password": person.passphrase})
    return Visit("before the second factor", browser, ("/sign-in/code/",))


def staff() -> Browser:
    """Return a member of the operator who may do everything."""
    operator = accounts.organisation(OrganisationKind.OPERATOR)
    browser = mighty(operator, name="Ada Adler")
    role = Role.objects.get(organisation=operator, code__startswith="all-")
    for permission in permissions:
        RolePermission.objects.get_or_create(
            role=role, code=permission.code, defaults={"id": uuid7()}
        )
    return browser


def _before_terms() -> Visit:
    onboarding, _token = partners.started("terms@stranger.example")
    confirm = f"/partners/confirm/{partners.link_of(onboarding)}/"
    mail.outbox.clear()
    described, _ = partners.described(email="terms2@stranger.example")
    assert described.organisation is not None
    browser = _seeing(mighty(described.organisation, name="Tina Terms"))
    return Visit("partner", browser, (confirm, "/partners/terms/"))
