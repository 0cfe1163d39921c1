"""People, organisations and browsers of tests, made by the product's own services."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_otp import DEVICE_ID_SESSION_KEY

from accounts import assurance, factors
from accounts.models import Membership, Organisation, Role, User, UserSession
from accounts.principal import ORGANISATION_KEY, of_user
from accounts.services import invitations, memberships, organisations, sessions, signup
from accounts.session_engine import SessionStore
from accounts.types import FactorKind, OrganisationKind
from accounts.views.enrolment import BACKEND
from encryption import services as keys
from foundation import clock
from foundation.identifiers import uuid7
from foundation.principals import Principal, system

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

    Answer = _MonkeyPatchedWSGIResponse
else:
    Answer = HttpResponse

PASSPHRASE = "correct horse battery staple of tests"
TEST = system("tests")
NET = "127.0.0.0/24"
AGENT_OF_TESTS = "e3b0c44298fc1c14"  # digest of no description, as the test client sends none

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """An enrolled person with the secrets to sign in."""

    user: User
    passphrase: str
    secret: str
    recovery_codes: tuple[str, ...]

    def code(self, *, steps: int = 0) -> str:
        """Return the code of now, or of so many steps of 30 seconds away."""
        now = int(clock.now().timestamp()) // 30
        return factors.totp_code(self.secret, counter=now + steps)


class Browser(Client):
    """A browser of a test; ``sign_in`` opens a verified session without the pages."""

    user: User
    organisation: Organisation

    @property
    def principal(self) -> Principal:
        """Who acts in this browser, read anew."""
        return of_user(User.objects.get(pk=self.user.pk), wanted=self.organisation.pk)

    def sign_in(self, user: User, organisation: Organisation | None = None) -> "Browser":
        """Open a session of a person that counts as verified by an authenticator."""
        self.user = user
        store = session_of(user)
        if organisation is not None:
            self.organisation = organisation
            store[ORGANISATION_KEY] = str(organisation.pk)
        store.save()
        self.use(store)
        return self

    def use(self, store: SessionStore) -> None:
        """Put the secret of a session into the cookie jar."""
        self.cookies[settings.SESSION_COOKIE_NAME] = store.secret or ""


def organisation(kind: str = OrganisationKind.CUSTOMER, *, name: str = "") -> Organisation:
    """Return an organisation; there is one operator at most."""
    if kind == OrganisationKind.OPERATOR:
        found = Organisation.objects.filter(kind=kind).first()
        if found is not None:
            return found
    return organisations.create(
        kind=OrganisationKind(kind), name=name or f"Organisation {next(_numbers)}", principal=TEST
    )


def role(code: str) -> Role:
    """Return a shipped role."""
    return Role.objects.get(code=code, is_system=True)


def user(*, email: str = "", name: str = "Alice Archer") -> User:
    """Return a person without membership, passphrase and factor."""
    return User.objects.create_user(
        email or f"person{next(_numbers)}@example.test", display_name=name
    )


def member(
    of: Organisation, code: str = "customer", *, email: str = "", name: str = "Alice Archer"
) -> User:
    """Return a member who cannot sign in by the pages, quick to make."""
    made = user(email=email, name=name)
    memberships.create(made, of, role(code), principal=TEST)
    made.refresh_from_db()
    return made


def membership_of(of: User) -> Membership:
    """Return the only membership of a person."""
    return Membership.objects.get(user=of)


def enrolled(
    of: Organisation, code: str = "customer", *, email: str = "", name: str = "Alice Archer"
) -> Person:
    """Return a person who went all the way from the invitation to the recovery codes."""
    invitation = invitations.invite(
        email=email or f"person{next(_numbers)}@example.test",
        organisation=of,
        role=role(code),
        principal=TEST,
        by_mail=False,
    )
    made = signup.begin(invitation, passphrase=PASSPHRASE, display_name=name, language="en")
    secret = factors.new_totp_secret()
    earlier = int(clock.now().timestamp()) // 30 - 1  # the code of now stays free for the test
    signup.enrol_totp(made, secret=secret, code=factors.totp_code(secret, counter=earlier))
    codes = signup.make_recovery_codes(made)
    signup.confirm_recovery_codes(made, codes[0])
    made.refresh_from_db()
    return Person(user=made, passphrase=PASSPHRASE, secret=secret, recovery_codes=codes)


def session_of(of: User, *, verified: bool = True) -> SessionStore:
    """Return a saved session of a person; its ``secret`` is what a cookie holds."""
    store = SessionStore()
    store.create()
    moment = clock.now()
    store[SESSION_KEY] = str(of.pk)
    store[BACKEND_SESSION_KEY] = BACKEND
    store[HASH_SESSION_KEY] = of.get_session_auth_hash()
    store[sessions.STARTED_KEY] = store[sessions.SEEN_KEY] = moment.timestamp()
    store[sessions.AGENT_KEY] = AGENT_OF_TESTS
    store[sessions.NET_KEY] = NET
    store["tag"] = keys.mac(sessions.TAG_PURPOSE, uuid7().bytes)[:16].hex()
    if verified:
        store[DEVICE_ID_SESSION_KEY] = sessions.session_factor(of, FactorKind.MFA).persistent_id
        store[assurance.PROVED_AT_KEY] = moment.timestamp()
    store.save()
    UserSession.objects.create(
        user=of,
        session_key=str(store.session_key),
        net=NET,
        started_at=moment,
        last_seen_at=moment,
    )
    return store


def browser(
    code: str = "customer",
    *,
    of: Organisation | None = None,
    kind: str = OrganisationKind.CUSTOMER,
    name: str = "Alice Archer",
) -> Browser:
    """Return the browser of a new member who is signed in."""
    home = of or organisation(kind)
    return Browser().sign_in(member(home, code, name=name), home)


def some_id() -> UUID:
    """Return an id that nothing has."""
    return uuid7()


@contextmanager
def queries_at_most(number: int) -> Iterator[None]:
    """Fail if the block sends more statements than a budget to the main database."""
    with CaptureQueriesContext(connection) as captured:
        yield
    statements = [query["sql"] for query in captured.captured_queries]
    assert len(statements) <= number, "\n".join(statements)
