"""Another organisation's ids in every address, by every verb: like ids that nothing has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from encryption.services import drop_keys
from foundation.identifiers import uuid7
from tests.architecture.test_guards import patterns
from tests.factories import accounts, partners
from tests.factories import records as records_of
from tests.factories.accounts import Answer, Browser
from tests.factories.partners import Partner
from tests.proofs import Tried
from tests.proofs_frame.comparing import Seen, fingerprint, seen
from tests.proofs_frame.routes import (
    NAMES_NO_OBJECT,
    PAGE_VERBS,
    Route,
    named_routes,
    routes_into,
)
from tests.proofs_frame.world import CREDENTIAL, World, made_world, outsider

NOT_FOUND = {404, 405}
# The staff's pages send others to the sign-in page, whatever the address; a form says 403.
NO_STAFF = {302, 403, 404, 405}
# A verb that a route of the API does not have is refused for want of a scope.
NO_SCOPE = 403
# Where even the staff find nothing, so that the control cannot see a difference; with the reason.
SEEN_BY_NOBODY: Mapping[str, str] = {}
JSON = "application/json"

# A form as the rightful person would send it, so that a hole would really write.
FORMS: Mapping[str, Mapping[str, object]] = {
    "member_role": {"role": "customer"},
    "audit:close_alert": {"verdict": "harmless", "reason": "tried"},
    "audit:reveal": {"reason": "tried"},
    "records:edit": {"name": "Changed", "record_version": 1},
    "records:reveal": {"reason": "tried"},
    "records:visibility": {"visibility": "organisation", "record_version": 1},
    "vault:replace": {"header": "X-Api-Key", "key": "another-key-4711", "replaces": 1},
    "vault:destroy": {"name": CREDENTIAL},
    "partners:make-secret": {"form_id": uuid7()},
}
KEY_FORM: dict[str, object] = {
    "name": "ERP",
    "purpose": "show orders",
    "hosts": "api.example.com",
    "probe_url": "https://api.example.com/me",
    "header": "X-Api-Key",
    "key": "planted-key-4711",
}


@pytest.fixture(autouse=True)
def generous(settings: Settings) -> None:
    """Let the walk be as long as it is."""
    settings.API_PLANS = {"standard": (100_000, 60), "open": (100_000, 60)}


@pytest.fixture
def world() -> World:
    return made_world()


@pytest.mark.proof(
    "frame: another organisation's ids in every address and by every verb answer like ids that "
    "nothing has"
)
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_foreign_ids_in_every_page_are_like_random_ids(world: World, tried: Tried) -> None:
    carol, pages = outsider(), [route for route in routes_into(world) if not route.is_api]
    findings = []

    before = fingerprint()
    for route in pages:
        for verb in PAGE_VERBS:
            findings += _differences(carol, route, verb, world)
            tried.case()
        after = fingerprint()
        findings += [f"{route.name} changed {name}" for name in _changed(before, after)]
        before = after
    blind = [route.name for route in pages if not _is_seen_by_its_owner(route, world, carol)]

    assert findings == []
    assert set(blind) == SEEN_BY_NOBODY.keys(), "the control sees the rest"
    tried.figure(f"{len(pages)} pages x {len(PAGE_VERBS)} verbs")


@pytest.mark.proof(
    "frame: another organisation's ids in every address and by every verb answer like ids that "
    "nothing has"
)
@pytest.mark.timeout(600)
def test_foreign_ids_in_every_api_route_are_like_random_ids(world: World, tried: Tried) -> None:
    routes = [route for route in routes_into(world) if route.is_api]
    stranger = partners.live(email="dev@stranger.example")
    _late, registration = partners.described(email="late@stranger.example")
    ours = _tokens(world.partner, world.secret, world.token)
    theirs = _tokens(stranger, partners.secret_of(stranger.client(), stranger.person), registration)
    api_verbs = {name: _verbs_of(view) for name, _pattern, view in patterns()}
    client, findings, seen_by_owner = Client(), [], set()
    for tokens in (ours, theirs):
        _etag(client, routes[0], tokens)  # that a client was used is noted once a minute

    before = fingerprint()
    for route in routes:
        for verb in PAGE_VERBS:
            call = Call(client, route, verb, _etag(client, route, ours))
            real, unknown = call.seen(route.real, theirs), call.seen(route.random, theirs)
            allowed = NOT_FOUND if verb in api_verbs[route.name] else NOT_FOUND | {NO_SCOPE}
            findings += _judge(route, verb, real, unknown, world, allowed)
            tried.case()
            with transaction.atomic():
                if call.seen(route.real, ours).status not in {*NOT_FOUND, 401, NO_SCOPE}:
                    seen_by_owner.add(route.name)
                transaction.set_rollback(True)
            drop_keys()
    changed = _changed(before, fingerprint())

    assert findings == []
    assert changed == []
    assert seen_by_owner == {route.name for route in routes}, "the control sees each route"
    tried.figure(f"{len(routes)} API routes x {len(PAGE_VERBS)} verbs")


@pytest.mark.proof(
    "frame: another organisation's ids in every address and by every verb answer like ids that "
    "nothing has"
)
def test_every_address_with_an_argument_is_tried_or_reviewed(world: World, tried: Tried) -> None:
    tried_names = {route.name for route in routes_into(world)}
    with_argument = {name for name, pattern, _ in patterns() if "<" in pattern or "(" in pattern}

    assert tried_names == {name for name, _ in named_routes()}
    assert with_argument - tried_names == NAMES_NO_OBJECT.keys()
    tried.case(len(with_argument))


@pytest.mark.proof("frame: another organisation's ids in the fields of a form do nothing")
def test_foreign_ids_in_forms_are_like_random_ids(world: World, tried: Tried) -> None:
    carol = outsider()
    own = records_of.record(carol.principal, kind="contact")
    role = world.objects["accounts.role"]
    forms: list[tuple[str, str, object, dict[str, object]]] = [
        ("/organisations/choose/", "organisation", world.partner.organisation.pk, {}),
        ("/members/invite/", "role", role, {"email": "new@example.test", "language": "en"}),
        (
            f"/records/{own.id}/visibility/",
            "people",
            world.owner.user.pk,
            {"visibility": "chosen", "record_version": own.version},
        ),
        ("/vault/new/", "owner", world.owner.user.pk, KEY_FORM),
    ]

    before = fingerprint()
    for address, name, foreign, rest in forms:
        real, unknown = (
            seen(carol.post(address, {**rest, name: item}), item) for item in (foreign, uuid7())
        )
        assert real == unknown, address
        assert real.status in {404, 422}, f"{address}: {real.status}"
        assert not any(word.encode() in real.body for word in world.names), address
        tried.case()
    assert _changed(before, fingerprint()) == []

    # The control: with an id of one's own the same form is taken.
    address, name, _foreign, rest = forms[3]
    assert carol.post(address, {**rest, name: carol.user.pk}).status_code == 302


@dataclass(frozen=True, slots=True)
class Call:
    """One verb of one route of the API, with all that a good call carries."""

    client: Client
    route: Route
    verb: str
    etag: str

    def seen(self, ids: Mapping[str, object], tokens: Mapping[str, str]) -> Seen:
        """Return what the answer shows to the holder of a token."""
        headers = {
            "Authorization": f"Bearer {tokens[_token_of(self.route)]}",
            "If-Match": self.etag,
            "Idempotency-Key": str(uuid7()),
        }
        body = b"" if self.verb in {"GET", "HEAD"} else _body(self.route)
        address = self.route.address(ids)
        answer = self.client.generic(self.verb, address, body, content_type=JSON, headers=headers)
        return seen(answer, *ids.values())


def _differences(browser: Browser, route: Route, verb: str, world: World) -> list[str]:
    real = _seen(browser, route, verb, route.real)
    unknown = _seen(browser, route, verb, route.random)
    allowed = NO_STAFF if route.is_admin else NOT_FOUND
    return _judge(route, verb, real, unknown, world, allowed)


def _seen(browser: Browser, route: Route, verb: str, ids: Mapping[str, object]) -> Seen:
    return seen(_asked(browser, route, verb, ids), *ids.values())


def _asked(browser: Browser, route: Route, verb: str, ids: Mapping[str, object]) -> Answer:
    address = route.address(ids)
    if verb == "POST":
        return browser.post(address, dict(FORMS.get(route.name, {})))
    return browser.generic(verb, address)


def _judge(
    route: Route, verb: str, real: Seen, unknown: Seen, world: World, allowed: set[int]
) -> list[str]:
    where = f"{verb} {route.name}"
    findings = []
    if real != unknown:
        findings.append(f"{where}: {real} is not {unknown}")
    if real.status not in allowed:
        findings.append(f"{where}: {real.status}")
    findings += [f"{where}: shows {name!r}" for name in world.names if name.encode() in real.body]
    return findings


def _is_seen_by_its_owner(route: Route, world: World, stranger: Browser) -> bool:
    """Say whether somebody who may is answered otherwise; what that changes is rolled back."""
    for verb in ("GET", "POST"):
        with transaction.atomic():
            rightful = _staff() if route.is_admin else world.owner
            own = _seen(rightful, route, verb, route.real)
            transaction.set_rollback(True)
        drop_keys()
        if own != _seen(stranger, route, verb, route.real) and own.status not in {401, 404, 405}:
            return True
    return False


def _staff() -> Browser:
    return accounts.browser("administrator", kind="operator", name="Ada Adler")


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [name for name in after if before.get(name) != after[name]]


def _tokens(partner: Partner, secret: str, registration: str) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": partner.client().client_id,
        "client_secret": secret,
    }
    answer = Client().post(partners.TOKEN_PATH, form)
    return {"access": answer.json()["access_token"], "registration": registration}


def _verbs_of(view: object) -> set[str]:
    cls = getattr(view, "cls", None)
    return {verb for verb in PAGE_VERBS if hasattr(cls, verb.lower())} | {"HEAD"}


def _token_of(route: Route) -> str:
    return "registration" if "onboarding" in route.pattern else "access"


def _etag(client: Client, route: Route, tokens: Mapping[str, str]) -> str:
    headers = {"Authorization": f"Bearer {tokens[_token_of(route)]}"}
    answer = client.get(route.address(route.real), headers=headers)
    return str(answer.headers.get("ETag", '"none"'))


def _body(route: Route) -> bytes:
    bodies: Mapping[str, object] = {
        "api_record": {"values": {"name": "Changed by API"}},
        "onboarding": {"purpose": "Changed by API"},
        "client": {"jwks": partners.key_set(partners.key())},
    }
    return json.dumps(bodies.get(route.name, {})).encode()
