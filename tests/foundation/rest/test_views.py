import json
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings
from rest_framework.exceptions import ParseError, Throttled

from foundation.access.guards import Guard, guard_of
from foundation.rest import problems
from foundation.rest.middleware import ApiProblems
from foundation.rest.models import IdempotencyRecord
from foundation.rest.problem_types import BY_STATUS, problem_types, type_for
from foundation.rest.views import ApiView
from tests.foundation.rest.sample_api import ORGANISATION, Failures, Sample, Samples

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


def problem(response: "Answer") -> dict[str, object]:
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, object] = json.loads(response.content)
    assert body["status"] == response.status_code
    assert str(body["type"]).startswith("http://localhost:8000/developers/problems/")
    assert str(body["type"]).split("/")[-2] in problem_types
    assert {"title", "detail", "code", "request_id"} <= set(body)
    assert body["request_id"] == response["X-Request-Id"]
    return body


def test_handler_runs_in_the_scope_of_the_tokens_organisation(paul: Client) -> None:
    response = paul.get("/api/v1/samples/1")

    assert response.status_code == 200
    assert response.json()["organisation"] == str(ORGANISATION)
    assert response["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "not_authenticated"),
        ("Bearer wrong", "token_invalid"),
        ("Bearer", "token_invalid"),
        ("Bearer a b", "token_invalid"),
        ("Basic cGF1bDp4", "token_invalid"),
        ("Bearer paul, Bearer paul", "token_invalid"),
    ],
)
def test_request_without_a_valid_token_is_refused(stranger: Client, header: str, code: str) -> None:
    response = stranger.get("/api/v1/samples/1", headers={"Authorization": header})

    assert response.status_code == 401
    assert problem(response)["code"] == code
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_token_in_the_query_opens_nothing(stranger: Client) -> None:
    assert stranger.get("/api/v1/samples/1?access_token=paul").status_code == 401


def test_token_without_the_scope_is_refused_and_the_scope_is_named() -> None:
    reader = Client(headers={"Authorization": "Bearer reader"})

    response = reader.post("/api/v1/samples", {"name": "x"}, content_type="application/json")

    assert response.status_code == 403
    assert problem(response)["code"] == "scope_missing"
    assert "sample:write" in str(problem(response)["detail"])
    assert 'scope="sample:write"' in response["WWW-Authenticate"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT", "OPTIONS", "TRACE"])
def test_method_a_view_does_not_have_is_told_with_those_it_has(paul: Client, method: str) -> None:
    response = paul.generic(method, "/api/v1/samples")

    assert response.status_code == 405
    assert problem(response)["code"] == "method_not_allowed"
    assert response["Allow"] == "GET, POST, HEAD"


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS"])
def test_method_a_view_does_not_have_is_not_told_to_strangers(
    stranger: Client, method: str
) -> None:
    response = stranger.generic(method, "/api/v1/samples")

    assert response.status_code == 401
    assert problem(response)["code"] == "not_authenticated"


def test_method_that_has_a_handler_but_no_scope_asks_for_one_that_nobody_has() -> None:
    class HalfDeclared(Samples):
        required_scopes: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("sample:read",)}

    request = RequestFactory().post("/", headers={"Authorization": "Bearer paul"})

    assert HalfDeclared.as_view()(request).status_code == 403


def test_view_without_scopes_and_without_a_reason_cannot_be_mounted() -> None:
    class Forgotten(ApiView):
        pass

    class Both(ApiView):
        required_scopes = ("a",)
        open_reason = "b"

    for view in (Forgotten, Both):
        with pytest.raises(ImproperlyConfigured):
            view.as_view()


def test_guard_of_a_view_is_known_to_the_test_that_looks_for_views_without_one() -> None:
    assert guard_of(Samples.as_view()) == Guard()
    assert guard_of(Failures.as_view()) == Guard(open_reason="a test of failures")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("conflict", 409, "sample.moved"),
        ("invalid", 400, "invalid"),
        ("unavailable", 503, "unavailable"),
        ("http404", 404, "not_found"),
        ("bug", 500, "internal"),
    ],
)
def test_every_failure_of_a_view_is_a_problem(
    stranger: Client, kind: str, status: int, code: str
) -> None:
    response = stranger.get(f"/api/v1/failures/{kind}")

    assert response.status_code == status
    assert problem(response)["code"] == code
    assert b"secret" not in response.content


def test_entries_point_at_their_member(stranger: Client) -> None:
    response = stranger.get("/api/v1/failures/invalid")

    assert problem(response)["errors"] == [
        {"pointer": "/a~1b", "code": "wrong", "detail": "Mend it."}
    ]


def test_unavailable_says_when_to_come_back(stranger: Client) -> None:
    assert stranger.get("/api/v1/failures/unavailable")["Retry-After"] == "7"


def test_lost_database_is_unavailable_and_says_nothing_of_it() -> None:
    response = problems.handle(OperationalError("host=10.0.0.1 password=x"), {})

    assert response is not None
    assert response.status_code == 503
    assert "10.0.0.1" not in json.dumps(response.data)


@pytest.mark.parametrize(
    ("method", "path", "extra", "status"),
    [
        ("GET", "/api/v1/nothing", {}, 404),
        ("GET", "/api/", {}, 404),
        ("GET", "/api/v1/samples/x%00", {}, 404),
        ("PUT", "/api/v1/samples/1", {}, 405),
        ("OPTIONS", "/api/v1/samples/1", {}, 405),
        ("TRACE", "/api/v1/samples/1", {}, 405),
        ("GET", "/api/v1/samples/1", {"Accept": "text/html"}, 406),
    ],
)
def test_failures_outside_of_handlers_are_problems_too(
    paul: Client, method: str, path: str, extra: dict[str, str], status: int
) -> None:
    response = paul.generic(method, path, headers=extra)

    assert response.status_code == status
    problem(response)


def test_405_lists_the_methods_that_work(paul: Client) -> None:
    assert "GET" in paul.put("/api/v1/samples/1")["Allow"]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("text/plain", b"x", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", b"a=1", 415, "unsupported_media_type"),
        ("multipart/form-data; boundary=x", b"--x--", 415, "unsupported_media_type"),
        ("application/json", b"{", 400, "malformed_json"),
        ("application/json", b'{"a": "' + b"x" * 1_100_000 + b'"}', 413, "body_too_large"),
        ("application/json", b"[" * 100_000, 400, "malformed_json"),
    ],
)
def test_unreadable_body_is_a_problem(
    stranger: Client, content_type: str, body: bytes, status: int, code: str
) -> None:
    response = stranger.post("/api/v1/failures/x", body, content_type=content_type)

    assert response.status_code == status
    assert problem(response)["code"] == code


def test_host_of_others_is_a_problem(stranger: Client) -> None:
    response = stranger.get("/api/v1/samples/1", headers={"Host": "evil.test"})

    assert response.status_code in {400, 401}
    problem(response)


def test_pages_keep_their_own_errors(stranger: Client) -> None:
    response = stranger.get("/nothing/")

    assert "problem" not in response["Content-Type"]


def test_every_status_has_a_type_and_every_type_a_page_of_words() -> None:
    assert set(BY_STATUS.values()) <= set(problem_types.keys())
    for kind in problem_types:
        assert all(str(words) for words in (kind.title, kind.meaning, kind.cure))
    assert type_for("records.not_visible", 404).code == "not_found"
    assert type_for("anything", 418).code == "invalid"
    assert type_for("anything", 599).code == "internal"


def test_changes_need_the_version_they_start_from(paul: Client) -> None:
    bare = paul.patch("/api/v1/samples/1", {}, content_type="application/json")
    star = paul.patch(
        "/api/v1/samples/1", {}, content_type="application/json", headers={"If-Match": "*"}
    )

    assert [problem(one)["code"] for one in (bare, star)] == ["precondition_required"] * 2
    assert [one.status_code for one in (bare, star)] == [428, 428]


def test_stale_weak_and_malformed_versions_change_nothing(paul: Client) -> None:
    current = paul.get("/api/v1/samples/1")["ETag"]

    def patched(tag: str) -> int:
        return paul.patch(
            "/api/v1/samples/1", {}, content_type="application/json", headers={"If-Match": tag}
        ).status_code

    assert [patched(tag) for tag in ('"old"', f"W/{current}", "x", current.strip('"'))] == [412] * 4
    assert patched(f'"old", {current}') == 200
    assert patched(current) == 412


def test_change_that_forgot_to_check_the_version_is_a_fault_of_ours(paul: Client) -> None:
    response = paul.delete("/api/v1/samples/1", headers={"If-Match": '"any"'})

    assert response.status_code == 500
    assert problem(response)["code"] == "internal"


def test_client_that_has_the_version_gets_304_without_a_body(paul: Client) -> None:
    first = paul.get("/api/v1/samples/1")

    for tags in (first["ETag"], f'"x", W/{first["ETag"]}', "*"):
        again = paul.get("/api/v1/samples/1", headers={"If-None-Match": tags})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = paul.get("/api/v1/samples/1", headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


def test_unknown_members_are_refused_by_pointer_beside_the_other_mistakes(paul: Client) -> None:
    body = {
        "name": "x" * 21,
        "id": str(UUID(int=1)),
        "nmae": "x",
        "address": {"town": "y", "twon": "z"},
        "tags": ["ok", "too long"],
        "parts": [{"town": "a"}, {"wrong/name": 1}],
    }

    response = paul.post(
        "/api/v1/samples",
        json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )

    found = problem(response)["errors"]
    assert isinstance(found, list)
    assert {(entry["pointer"], entry["code"]) for entry in found} == {
        ("/name", "max_length"),
        ("/id", "unknown_member"),
        ("/nmae", "unknown_member"),
        ("/address/twon", "unknown_member"),
        ("/tags/1", "max_length"),
        ("/parts/1/town", "required"),
        ("/parts/1/wrong~1name", "unknown_member"),
    }


@pytest.mark.parametrize("query", ["?nothing=1", "?limit=1&limit=2"])
def test_parameter_that_is_unknown_or_given_twice_is_refused_by_name(
    paul: Client, query: str
) -> None:
    response = paul.get(f"/api/v1/samples{query}")

    assert response.status_code == 400
    errors = problem(response)["errors"]
    assert isinstance(errors, list)
    assert errors[0]["parameter"] in {"nothing", "limit"}


def test_limit_of_the_plan_is_told_and_kept(paul: Client, settings: Settings) -> None:
    settings.API_PLANS = {"standard": (2, 61), "open": (1, 61)}

    answers = [paul.get("/api/v1/samples/1") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"standard";q=2;w=61'
    assert answers[0]["RateLimit"].startswith('"standard";r=1;t=')
    assert problem(answers[2])["code"] == "too_many"
    assert 1 <= int(answers[2]["Retry-After"]) <= 61
    assert answers[2]["RateLimit"].startswith('"standard";r=0;t=')


def test_clients_are_counted_apart_and_strangers_by_net(
    paul: Client, stranger: Client, settings: Settings
) -> None:
    settings.API_PLANS = {"standard": (1, 62), "open": (1, 62)}
    other = Client(headers={"Authorization": "Bearer reader"})

    def open_status(address: str) -> int:
        return stranger.get("/api/v1/failures/conflict", REMOTE_ADDR=address).status_code

    assert [paul.get("/api/v1/samples/1").status_code for _ in range(2)] == [200, 429]
    assert other.get("/api/v1/samples/1").status_code == 200
    assert [open_status(one) for one in ("198.51.100.1", "198.51.100.2", "198.51.101.1")] == [
        409,
        429,
        409,
    ]


def test_without_a_counter_nothing_is_answered(paul: Client, settings: Settings) -> None:
    settings.VALKEY_URL = "unix:///nowhere/valkey.sock?db=0"

    response = paul.get("/api/v1/samples/1")

    assert response.status_code == 503
    assert problem(response)["code"] == "rate_limit.counter_unavailable"
    assert response["Retry-After"] == "5"


def test_middleware_keeps_headers_that_belong_to_a_failure() -> None:
    refusal = HttpResponse("wait", status=429, headers={"Retry-After": "3", "X-Other": "x"})

    answer = ApiProblems(lambda _: refusal)(RequestFactory().get("/api/v1/x"))

    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    assert "X-Other" not in answer
    assert answer["Content-Type"] == problems.CONTENT_TYPE


def test_failures_of_libraries_get_our_codes() -> None:
    def code(error: Exception) -> tuple[str, int]:
        domain = problems.as_domain_error(error)
        assert domain is not None
        return domain.reason_code, domain.status

    assert code(Throttled()) == ("too_many", 429)
    assert code(PermissionDenied()) == ("denied", 403)
    assert code(SuspiciousOperation()) == ("invalid", 400)
    assert code(ParseError()) == ("invalid", 400)


def test_list_view_without_a_declared_listing_is_a_fault_of_the_code() -> None:
    class Bare(ApiView):
        open_reason = "a test"

    with pytest.raises(ImproperlyConfigured):
        Bare().page(IdempotencyRecord.objects.all())


def test_body_that_is_no_object_is_refused_by_the_serializer_too() -> None:
    serializer = Sample(data=["x"])

    assert not serializer.is_valid()
    assert set(serializer.errors) == {"non_field_errors"}
