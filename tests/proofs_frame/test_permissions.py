"""What somebody may do is read anew for each request: a change acts at the next one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.middleware import PrincipalMiddleware
from accounts.models import Membership, Role, User
from accounts.principal import ORGANISATION_KEY
from accounts.services import memberships, organisations, roles, sessions
from accounts.types import OrganisationStatus
from foundation.access.guards import guard_of
from foundation.access.model_admin import GuardedModelAdmin
from foundation.access.permissions import permissions
from foundation.identifiers import uuid7
from foundation.principals import Principal
from integrations.partners.services import clients
from tests.architecture.test_guards import patterns
from tests.factories import accounts, partners
from tests.factories.accounts import TEST, Browser
from tests.proofs import Tried
from tests.proofs_frame.routes import Route
from tests.proofs_frame.visits import staff
from tests.proofs_frame.world import mighty

CLAIM = "frame: a changed role, membership or client acts at the next request"
DENIED = 403
QUERIES_OF_A_PRINCIPAL = 2  # the memberships with their roles, and the permissions of those


@dataclass(frozen=True, slots=True)
class Guarded:
    """An address and the permission it asks for."""

    name: str
    address: str
    permission: str

    def is_open_to(self, browser: Browser) -> bool:
        """Say whether the guard lets somebody through, whatever the page says then."""
        answer = browser.get(self.address)
        if answer.status_code == 405:
            answer = browser.post(self.address)
        return answer.status_code != DENIED


@pytest.mark.proof(CLAIM)
@pytest.mark.timeout(300)
def test_each_permission_of_a_page_acts_at_the_next_request(ada: Browser, tried: Tried) -> None:
    addresses = list(_guarded_pages())
    people = {False: mighty(accounts.organisation(), name="Alice Archer"), True: staff()}

    for found, needs_staff in addresses:
        person = people[needs_staff]
        assert found.is_open_to(person), f"{found.name}: the control"
        _change(person, ada.principal, without=found.permission)
        assert not found.is_open_to(person), found.name
        _change(person, ada.principal)
        assert found.is_open_to(person), f"{found.name}: given back"
        tried.case()

    tried.figure(f"{len(addresses)} pages, {len({one.permission for one, _ in addresses})} rights")


@pytest.mark.proof(CLAIM)
def test_each_permission_of_the_admin_acts_at_the_next_request(ada: Browser, tried: Tried) -> None:
    person = staff()

    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, GuardedModelAdmin), model
        rights = {model_admin.view_permission, model_admin.change_permission} - {""}
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert person.get(address).status_code == 200, address
        _change(person, ada.principal, without=rights)
        assert person.get(address).status_code == DENIED, address
        _change(person, ada.principal)
        assert person.get(address).status_code == 200, address
        tried.case()


@pytest.mark.proof(CLAIM)
def test_the_end_of_an_access_acts_at_the_next_request(ada: Browser, tried: Tried) -> None:
    for what, act in _endings(ada.principal).items():
        home = accounts.organisation()
        accounts.browser("administrator", of=home, name="Olga Other")
        person = accounts.browser("administrator", of=home)
        assert person.get("/records/").status_code == 200, what

        act(person)

        assert person.get("/records/").status_code != 200, what
        tried.case()


@pytest.mark.proof(CLAIM)
def test_the_end_of_a_client_acts_at_the_next_call(tried: Tried) -> None:
    key, client = partners.key(), Client()
    partner = partners.live(key)
    token = partners.bearer(partners.access_token(partner.client(), key))
    assert client.get("/api/v1/records", headers=token).status_code == 200

    clients.revoke(partner.client().pk, principal=partner.person)

    assert client.get("/api/v1/records", headers=token).status_code == 401
    tried.case()


@pytest.mark.proof("frame: who acts is read in two queries, however many memberships there are")
@pytest.mark.parametrize("number", [1, 12])
def test_a_principal_costs_two_queries(number: int, tried: Tried) -> None:
    user = accounts.user()
    places = [accounts.organisation() for _ in range(number)]
    for place in places:
        memberships.create(user, place, accounts.role("customer"), principal=TEST)
    seen: list[Principal] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request.principal)  # type: ignore[attr-defined]  # set by the middleware
        return HttpResponse()

    request = _request_of(User.objects.get(pk=user.pk), str(places[-1].pk))
    with CaptureQueriesContext(connection) as captured:
        PrincipalMiddleware(view)(request)

    assert [principal.organisation_id for principal in seen] == [places[-1].pk]
    assert seen[0].permissions
    assert len(captured) == QUERIES_OF_A_PRINCIPAL, captured.captured_queries
    tried.case()
    tried.figure(f"{len(captured)} queries with {number} memberships")


def _guarded_pages() -> Iterator[tuple[Guarded, bool]]:
    """Give every page with a permission, and whether it is for staff."""
    for name, pattern, view in patterns():
        guard = guard_of(view)
        if guard is None or not guard.permission or pattern.startswith("admin/"):
            continue
        address = Route(name, pattern).address(_AnyIds())
        yield Guarded(name, address, guard.permission), guard.staff


class _AnyIds(dict[str, object]):
    """Ids that nothing has, for every argument: a guard judges before anything is looked for."""

    def __missing__(self, argument: str) -> object:
        return uuid7() if argument.endswith("_id") else "contact"


def _change(person: Browser, principal: Principal, *, without: str | set[str] = "") -> None:
    """Give a role all its permissions but some, as the admin does."""
    gone = {without} if isinstance(without, str) else without
    role = Role.objects.get(memberships__user=person.user)
    is_staff = person.organisation.is_operator
    known = {one.code for one in permissions if is_staff or not one.staff_only}
    roles.change_permissions(role.pk, known - gone, reason="a proof", principal=principal)


def _endings(principal: Principal) -> dict[str, Callable[[Browser], object]]:
    def membership_of(person: Browser) -> Membership:
        return accounts.membership_of(person.user)

    return {
        "role": lambda person: Membership.objects.filter(user=person.user).update(
            role=Role.objects.create(code=f"none-{uuid7()}", name="No rights")
        ),
        "membership": lambda person: memberships.end(
            membership_of(person).pk,
            organisation_id=person.organisation.pk,
            principal=principal,
        ),
        "organisation": lambda person: organisations.change(
            person.organisation.pk,
            name=person.organisation.name,
            status=OrganisationStatus.SUSPENDED,
            principal=principal,
        ),
        "access": lambda person: sessions.end_access(person.user, "proof", principal=principal),
    }


def _request_of(user: User, organisation_id: str) -> HttpRequest:
    request = RequestFactory().get("/")
    user.otp_device = object()  # type: ignore[attr-defined]  # django-otp's sign of a second factor
    request.user = user
    request.session = {ORGANISATION_KEY: organisation_id}  # type: ignore[assignment]
    return request
