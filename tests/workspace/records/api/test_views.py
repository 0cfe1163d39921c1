"""``/api/v1/records`` by a partner client with its own key."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from audit.models import AuditEvent
from foundation.tenancy import organisation_scope
from tests.factories import partners
from tests.factories import records as make
from workspace.records.models import Record
from workspace.records.types import Visibility

LIST = "/api/v1/records"
NEW = {"kind": "company", "values": make.COMPANY}
BOTH = ("records:read", "records:write")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def pointers(self) -> set[str]:
        """Pointers of the wrong members."""
        return {error["pointer"] for error in self.body["errors"]}


@dataclass(slots=True)
class Caller:
    """A client of the API with its token."""

    token: str
    organisation_id: UUID
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send JSON and return the answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        got = self.client.generic(
            method,
            path,
            data=b"" if body is None else sent,
            content_type="application/json",
            headers={**partners.bearer(self.token), **named},
        )
        content = got.content
        read = json.loads(content) if content else None
        return Answer(got.status_code, read, dict(got.headers))

    def create(self, body: object = NEW, *, key: str = "") -> Answer:
        """Create a record under an idempotency key."""
        return self.send("POST", LIST, body, Idempotency_Key=key or uuid4().hex)

    def created(self, body: object = NEW) -> str:
        """Create a record and return its address."""
        answer = self.create(body)
        assert answer.status == HTTPStatus.CREATED, answer.body
        return answer.headers["Location"]


def caller(*scopes: str, email: str = partners.EMAIL) -> Caller:
    """Return a partner's live client with a token."""
    signing = partners.key()
    partner = partners.live(signing, email=email)
    token = partners.access_token(partner.client(), signing, scope=" ".join(scopes or BOTH))
    return Caller(token, partner.organisation.pk)


@pytest.fixture
def paul() -> Caller:
    return caller()


def test_a_partner_creates_reads_and_changes_its_own_record(paul: Caller) -> None:
    made = paul.create()
    address = made.headers["Location"]
    read = paul.send("GET", address)
    changed = paul.send(
        "PATCH", address, {"values": {"iban": make.OTHER_IBAN}}, If_Match=read.headers["ETag"]
    )
    again = paul.send("GET", address)

    assert made.status == HTTPStatus.CREATED
    assert set(made.body) == {"id", "state", "version"}
    assert read.body["values"]["iban"] == make.IBAN
    assert made.headers["ETag"] == read.headers["ETag"]
    assert changed.status == HTTPStatus.OK
    assert set(changed.body) == {"id", "state", "version"}
    assert again.body["values"]["iban"] == make.OTHER_IBAN
    assert again.body["values"]["phone"] == make.PHONE
    assert again.headers["ETag"] == changed.headers["ETag"] != read.headers["ETag"]


def test_a_key_user_of_the_partner_sees_what_its_client_made(paul: Caller) -> None:
    record_id = UUID(paul.create().body["id"])

    with organisation_scope(paul.organisation_id):
        record = Record.objects.get(pk=record_id)

    assert record.owner_id is None
    assert record.owner_client_id is not None
    assert record.visibility == Visibility.OWN


def test_an_unchanged_record_is_answered_by_304(paul: Caller) -> None:
    address = paul.created()
    etag = paul.send("GET", address).headers["ETag"]

    answer = paul.send("GET", address, If_None_Match=etag)

    assert answer.status == HTTPStatus.NOT_MODIFIED
    assert answer.body is None


def test_a_change_needs_the_present_version(paul: Caller) -> None:
    address = paul.created()
    etag = paul.send("GET", address).headers["ETag"]
    change = {"values": {"phone": "+49 40 7654321"}}

    without = paul.send("PATCH", address, change)
    paul.send("PATCH", address, change, If_Match=etag)
    stale = paul.send("PATCH", address, {"values": {"phone": ""}}, If_Match=etag)

    assert without.status == HTTPStatus.PRECONDITION_REQUIRED
    assert stale.status == HTTPStatus.PRECONDITION_FAILED
    assert paul.send("GET", address).body["values"]["phone"] == "+49 40 7654321"


def test_the_same_key_creates_once_and_another_body_is_refused(paul: Caller) -> None:
    first = paul.create(key="one")
    second = paul.create(key="one")
    other = paul.create({"kind": "company", "values": {"legal_name": "Other"}}, key="one")

    assert first.body == second.body
    assert other.status == HTTPStatus.CONFLICT
    with organisation_scope(paul.organisation_id):
        assert Record.objects.count() == 1


def test_creating_without_a_key_is_refused(paul: Caller) -> None:
    assert paul.send("POST", LIST, NEW).status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"iban": "DE88370400440532013000"}, "/values/iban", "iban_checksum"),
        ({"iban": "nonsense"}, "/values/iban", "iban_malformed"),
        ({"phone": "030 123"}, "/values/phone", "phone_malformed"),
        ({"legal_name": ""}, "/values/legal_name", "required"),
        ({"legal_name": "x" * 201}, "/values/legal_name", "too_long"),
        ({"legal_name": "a\x00b"}, "/values/legal_name", None),
        ({"colour": "red"}, "/values/colour", "unknown"),
        ({"legal_name": 5}, "/values/legal_name", "invalid"),
        ({"legal_name": None}, "/values/legal_name", "null"),
        ({"legal_name": ["a"]}, "/values/legal_name", "invalid"),
    ],
)
def test_a_wrong_value_is_refused_with_its_pointer_and_nothing_is_written(
    paul: Caller, values: dict[str, object], pointer: str, code: str | None
) -> None:
    answer = paul.create({"kind": "company", "values": {**make.COMPANY, **values}})

    assert answer.status == HTTPStatus.BAD_REQUEST
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.pointers == {pointer}
    if code is not None:
        assert [error["code"] for error in answer.body["errors"]] == [code]
    with organisation_scope(paul.organisation_id):
        assert not Record.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"kind": "company"}',
        b'{"kind": "company", "values": []}',
        b'{"kind": "company", "values": {}, "owner": "me"}',
        b'{"kind": "company", "values": {}, "visibility": "organisation"}',
        b'{"kind": "nothing", "values": {}}',
        b'{"kind": "a\\u0000b", "values": {}}',
        b'{"kind": "company", "kind": "device", "values": {}}',
        b'{"kind": "company", "values": {"legal_name": "\\ud800"}}',
        b"\xff\xfe",
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
    ],
)
def test_a_malformed_body_is_a_problem_and_no_fault(paul: Caller, body: bytes) -> None:
    answer = paul.create(body)

    assert answer.status == HTTPStatus.BAD_REQUEST, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Traceback" not in json.dumps(answer.body)
    with organisation_scope(paul.organisation_id):
        assert not Record.objects.exists()


def test_a_body_over_the_limit_is_refused(paul: Caller) -> None:
    body = {"kind": "company", "values": {"legal_name": "x" * 1_100_000}}

    assert paul.create(body).status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE", "PUT", "POST", "OPTIONS"])
def test_a_foreign_record_answers_like_one_that_never_was(paul: Caller, method: str) -> None:
    other = caller(email="dev@cirrus.example")
    address = paul.created()
    body = {"values": {"phone": ""}} if method in {"PATCH", "POST", "PUT"} else None

    foreign = other.send(method, address, body, If_Match='"x"')
    unknown = other.send(method, f"{LIST}/{uuid4()}", body, If_Match='"x"')

    assert foreign.status == unknown.status
    offered = method in {"GET", "HEAD", "PATCH"}
    assert foreign.status == (HTTPStatus.NOT_FOUND if offered else HTTPStatus.METHOD_NOT_ALLOWED)
    if foreign.body is not None:
        same = {"code", "detail", "title", "type", "status"}
        assert {name: foreign.body[name] for name in same} == {
            name: unknown.body[name] for name in same
        }


def test_a_record_that_a_person_of_the_organisation_keeps_is_not_the_clients(
    paul: Caller,
) -> None:
    person = make.member_of(paul.organisation_id)
    kept = make.record(person)
    shared = make.record(person, visibility=Visibility.ORGANISATION)

    assert paul.send("GET", f"{LIST}/{kept.id}").status == HTTPStatus.NOT_FOUND
    assert paul.send("GET", f"{LIST}/{shared.id}").status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("scope", "refused"),
    [("records:read", ("POST", "PATCH")), ("records:write", ("GET",))],
)
def test_a_token_without_the_scope_is_refused_by_its_name(
    scope: str, refused: tuple[str, ...]
) -> None:
    limited = caller(scope)
    for method in refused:
        path = LIST if method != "PATCH" else f"{LIST}/{uuid4()}"
        answer = limited.send(method, path, NEW, If_Match='"x"', Idempotency_Key=uuid4().hex)

        assert answer.status == HTTPStatus.FORBIDDEN
        assert answer.body["code"] == "scope_missing"


def test_no_token_and_a_wrong_token_are_refused(paul: Caller) -> None:
    address = paul.created()
    wrong = Caller("x" * 40, paul.organisation_id)

    assert wrong.send("GET", address).status == HTTPStatus.UNAUTHORIZED
    assert Client().get(address).status_code == HTTPStatus.UNAUTHORIZED


def test_the_list_pages_by_cursor_over_own_records(paul: Caller) -> None:
    for number in range(7):
        paul.created({"kind": "company", "values": {"legal_name": f"Company {number}"}})

    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        answer = paul.send("GET", f"{LIST}?limit=2{cursor}")
        seen += [item["values"]["legal_name"] for item in answer.body["data"]]
        if answer.body["next"] is None:
            break
        cursor = f"&cursor={answer.body['next']}"

    assert seen == [f"Company {number}" for number in reversed(range(7))]


def test_a_cursor_of_another_client_is_refused(paul: Caller) -> None:
    other = caller(email="dev@cirrus.example")
    for number in range(3):
        paul.created({"kind": "company", "values": {"legal_name": f"Company {number}"}})
    cursor = paul.send("GET", f"{LIST}?limit=1").body["next"]

    answer = other.send("GET", f"{LIST}?limit=1&cursor={cursor}")

    assert answer.status == HTTPStatus.BAD_REQUEST


def test_the_list_is_narrowed_by_kind_and_refuses_unknown_parameters(paul: Caller) -> None:
    paul.created()
    paul.created({"kind": "contact", "values": make.CONTACT})

    contacts = paul.send("GET", f"{LIST}?kind=contact").body["data"]

    assert [item["kind"] for item in contacts] == ["contact"]
    assert paul.send("GET", f"{LIST}?colour=red").status == HTTPStatus.BAD_REQUEST


def test_a_list_needs_the_same_number_of_queries_for_any_number_of_rows(
    paul: Caller, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        paul.created({"kind": "company", "values": {"legal_name": f"Company {number}"}})

    with django_assert_max_num_queries(20):
        answer = paul.send("GET", LIST)

    assert len(answer.body["data"]) == 25


def test_protected_values_can_be_written_and_never_read(paul: Caller) -> None:
    address = paul.created({"kind": "device", "values": make.DEVICE})

    read = paul.send("GET", address)
    listed = paul.send("GET", LIST)

    assert "unlock_code" not in read.body["values"]
    assert make.DEVICE["unlock_code"] not in json.dumps([read.body, listed.body])


def test_the_journal_names_the_client_and_holds_no_value(paul: Caller) -> None:
    address = paul.created()
    paul.send("GET", address)

    entries = list(
        AuditEvent.objects.using("journal_read").filter(type__startswith="workspace.record.")
    )
    assert {entry.type for entry in entries} == {
        "workspace.record.created",
        "workspace.record.read",
    }
    assert {entry.actor_type for entry in entries} == {"integration"}
    for entry in entries:
        assert make.IBAN not in entry.body
        assert make.PHONE not in entry.body
