"""Bad bodies on every route of the API that takes one: a clear refusal, and nothing is written."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from audit.models import AuditEvent
from encryption.services import drop_keys
from foundation.identifiers import uuid7
from foundation.rest.parsers import MAX_BYTES, MAX_DEPTH
from foundation.rest.problems import CONTENT_TYPE
from tests.api.routes import METHODS, api_routes
from tests.api.test_document import document
from tests.factories import partners
from tests.factories import records as records_of
from tests.factories.accounts import Answer
from tests.proofs import Tried
from tests.proofs_frame.comparing import fingerprint
from workspace.records.types import Visibility

MEGABYTE = 1_000_000
REFUSED = {400, 413, 422}  # for the body, and not for want of a token or a version
LONGEST_ANSWER = 40_000
CLAIM = (
    "frame: oversized, malformed and unfit JSON on every API route is refused in clear words and "
    "writes nothing"
)
Pointer = tuple[str | int, ...]

# In the place of every text of a body. A lone surrogate is half of a pair, so no text at all.
UNFIT: Mapping[str, object] = {
    "NUL": "before\x00after",
    "a megabyte": "x" * MEGABYTE,
    "a lone surrogate": "\ud800",
    "a number": 17,
    "a truth": True,
    "a list": [[]],
    "an object": {"nothing": {}},
}


@dataclass(slots=True)
class Operation:
    """A route that takes a body, with what a right call holds.

    Attributes:
        name: its id in the description of the API.
        method: upper case.
        address: of an object that is there.
        good: a body that is accepted.
        headers: token and version.
    """

    name: str
    method: str
    address: str
    good: dict[str, object]
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, client: Client, body: bytes) -> Answer:
        """Send a body as JSON."""
        headers = {**self.headers, "Idempotency-Key": str(uuid7())}
        return client.generic(
            self.method, self.address, body, content_type="application/json", headers=headers
        )


@pytest.fixture(autouse=True)
def generous(settings: Settings) -> None:
    """Let the walk be as long as it is."""
    settings.API_PLANS = {"standard": (100_000, 60), "open": (100_000, 60)}


@pytest.fixture
def client() -> Client:
    """Return a program that sees failures as answers."""
    return Client(raise_request_exception=False)


@pytest.fixture
def operations(client: Client) -> list[Operation]:
    return [*_record_operations(client), *_partner_operations(client)]


@pytest.mark.proof(CLAIM)
@pytest.mark.timeout(600)
@pytest.mark.slow
def test_bad_bodies_are_refused_and_write_nothing(
    client: Client, operations: list[Operation], tried: Tried
) -> None:
    findings: list[str] = []
    assert {operation.name for operation in operations} == _with_body()

    for operation in operations:
        before, entries = fingerprint(), AuditEvent.objects.count()
        for what, body in _bad_bodies(operation.good):
            findings += _judge(f"{operation.name}, {what}", operation.send(client, body))
            tried.case()
        changed = [name for name, found in fingerprint().items() if before[name] != found]
        findings += [f"{operation.name} changed {name}" for name in changed]
        if AuditEvent.objects.count() != entries:
            findings.append(f"{operation.name}: a refused body left an entry of a change")
        findings += _control(client, operation)

    assert findings == []
    tried.figure(f"{len(operations)} routes, {tried.cases} bodies")


@pytest.mark.proof(CLAIM)
def test_an_unknown_member_is_named(
    client: Client, operations: list[Operation], tried: Tried
) -> None:
    for operation in operations:
        answer = operation.send(client, _dump({**operation.good, "nothing": 1}))

        assert answer.status_code in {400, 422}, operation.name
        assert [item["pointer"] for item in answer.json()["errors"]] == ["/nothing"]
        tried.case()


@pytest.mark.proof(CLAIM)
def test_routes_without_a_body_refuse_bad_ones_as_well(client: Client, tried: Tried) -> None:
    token = {"Authorization": "Bearer unknown"}

    for route in api_routes():
        for body in (b"{", b"[" * (MAX_DEPTH * 1_000), b"x" * (MAX_BYTES + 1)):
            for method in METHODS:
                answer = client.generic(
                    method, route.path, body, content_type="application/json", headers=token
                )
                assert answer.status_code < 500, f"{method} {route.path}"
                tried.case()


def _record_operations(client: Client) -> list[Operation]:
    key = partners.key()
    partner = partners.live(key)
    token = partners.bearer(partners.access_token(partner.client(), key))
    owner = records_of.member(partner.organisation, role="partner")
    record = records_of.record(owner, visibility=Visibility.ORGANISATION)
    address = f"/api/v1/records/{record.id}"
    version = {"If-Match": _etag(client, address, token)}
    new: dict[str, object] = {"kind": "company", "values": dict(records_of.COMPANY)}
    own = f"/api/v1/clients/{partner.client().pk}"
    keys = {"If-Match": _etag(client, own, token)}
    return [
        Operation("createRecord", "POST", "/api/v1/records", new, token),
        Operation(
            "changeRecord", "PATCH", address, {"values": records_of.COMPANY}, token | version
        ),
        Operation(
            "clients_replace_keys",
            "PATCH",
            own,
            {"jwks": partners.key_set(partners.key())},
            token | keys,
        ),
    ]


def _partner_operations(client: Client) -> list[Operation]:
    onboarding, registration = partners.confirmed("late@stranger.example")
    token = partners.bearer(registration)
    address = f"/api/v1/onboardings/{onboarding.pk}"
    version = {"If-Match": _etag(client, address, token)}
    description: dict[str, object] = {
        "organisation_name": "Borealis",
        "contact_name": "Paula Partner",
        "purpose": "Keeps supplier data current",
        "wanted_scopes": list(partners.SCOPES),
        "jwks": partners.key_set(partners.key()),
    }
    start: dict[str, object] = {"email": "new@stranger.example", "language": "en"}
    return [
        Operation("onboardings_create", "POST", "/api/v1/onboardings", start),
        Operation("onboardings_describe", "PATCH", address, description, token | version),
    ]


def _etag(client: Client, address: str, token: dict[str, str]) -> str:
    return str(client.get(address, headers=token).headers["ETag"])


def _with_body() -> set[str]:
    """Return the operations that take a body, from the description of the API."""
    return {
        str(operation["operationId"])
        for methods in document()["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    }


def _bad_bodies(good: dict[str, object]) -> Iterator[tuple[str, bytes]]:
    whole = _dump(good)
    deep = MAX_BYTES // 4
    yield "larger than 1 MiB", whole[:-1] + b" " * MAX_BYTES + b"}"
    yield "cut off", whole[:-1]
    yield "empty", b""
    yield "no object", b"[1]"
    yield "null", b"null"
    yield "two objects", whole + whole
    yield "no UTF-8", b'{"\xff": 1}'
    yield "byte order mark", b"\xef\xbb\xbf" + whole
    yield "a member twice", b"{" + whole[1:-1] + b"," + whole[1:]
    yield "not a number", whole[:-1] + b', "nothing": NaN}'
    yield "a number too large", whole[:-1] + b', "nothing": 1e999}'
    yield "nested lists", b'{"nothing": ' + b"[" * deep + b"]" * deep + b"}"
    yield "nested objects", b'{"nothing":' * deep
    yield "a name of a megabyte", _dump({"n" * MEGABYTE: 1})
    yield "NUL in a name", _dump({"\x00": 1})
    yield "half a surrogate in a name", _dump({"\udfff": 1})
    for pointer in _texts(good):
        for what, value in UNFIT.items():
            yield f"{what} at {pointer}", _dump(_with(good, pointer, value))


def _texts(value: object, pointer: Pointer = ()) -> Iterator[Pointer]:
    if isinstance(value, str):
        yield pointer
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, (*pointer, name))
    elif isinstance(value, Sequence):
        for position, item in enumerate(value):
            yield from _texts(item, (*pointer, position))


def _with(good: dict[str, object], pointer: Pointer, value: object) -> dict[str, object]:
    changed = copy.deepcopy(good)
    place: object = changed
    for part in pointer[:-1]:
        place = place[part]  # type: ignore[index]  # the pointer was made from this body
    place[pointer[-1]] = value  # type: ignore[index]  # as above
    return changed


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()


def _judge(where: str, answer: Answer) -> list[str]:
    if answer.status_code not in REFUSED:
        return [f"{where}: {answer.status_code}"]
    if answer.headers["Content-Type"] != CONTENT_TYPE:
        return [f"{where}: {answer.headers['Content-Type']}"]
    problem = answer.json()
    clear = problem["detail"] and problem["code"] and problem["request_id"]
    if not clear or len(answer.content) > LONGEST_ANSWER:
        return [f"{where}: {answer.content[:300]!r}"]
    return []


def _control(client: Client, operation: Operation) -> list[str]:
    """The same call with its good body is accepted; what it wrote is rolled back."""
    with transaction.atomic():
        answer = operation.send(client, _dump(operation.good))
        transaction.set_rollback(True)
    drop_keys()
    return [] if answer.status_code < 300 else [f"{operation.name}: {answer.content!r}"]
