from uuid import UUID

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import RequestFactory
from pytest_django import Settings

from foundation.errors import Denied, DomainError, NotFound, TooMany, Unavailable
from foundation.web import csp
from foundation.web.middleware import ErrorPages, Fragments, RequestId, SecurityHeaders

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'; report-uri /csp-report"
)


def answer(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def test_the_policy_of_the_settings_is_the_agreed_one(settings: Settings) -> None:
    assert csp.header(settings.SECURE_CSP) == POLICY
    assert csp.header(csp.default_policy()) == POLICY


def test_a_stream_of_another_origin_is_the_only_addition() -> None:
    policy = csp.header(csp.default_policy(stream_origin="https://stream.example"))

    assert policy == POLICY.replace(
        "connect-src 'self'", "connect-src 'self' https://stream.example"
    )


def test_every_answer_carries_the_headers(rf: RequestFactory) -> None:
    response = SecurityHeaders(answer)(rf.get("/"))

    assert response["Content-Security-Policy"] == POLICY
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    assert response["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in response


def test_https_is_remembered(rf: RequestFactory, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 100
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True

    response = SecurityHeaders(answer)(rf.get("/", secure=True))

    assert response["Strict-Transport-Security"] == "max-age=100; includeSubDomains"


@pytest.mark.parametrize(
    ("set_by_view", "sent"),
    [("script-src *", POLICY), (csp.FILE_POLICY, csp.FILE_POLICY), ("", POLICY)],
)
def test_a_view_can_narrow_the_policy_and_never_widen_it(
    rf: RequestFactory, set_by_view: str, sent: str
) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": set_by_view})

    assert SecurityHeaders(view)(rf.get("/"))["Content-Security-Policy"] == sent


def test_the_request_id_is_ours_and_the_senders_a_claim(rf: RequestFactory) -> None:
    request = rf.get("/", headers={"X-Request-Id": "theirs-1"})

    response = RequestId(answer)(request)

    assert UUID(response["X-Request-Id"]).version == 7
    assert request.client_request_id == "theirs-1"  # type: ignore[attr-defined]  # set by it


@pytest.mark.parametrize("claim", ["a b", "x" * 65, "<script>", "a\nb"])
def test_a_spoilt_claim_is_dropped(rf: RequestFactory, claim: str) -> None:
    request = rf.get("/", headers={"X-Request-Id": claim})

    RequestId(answer)(request)

    assert request.client_request_id == ""  # type: ignore[attr-defined]  # set by it


def test_a_lost_session_leads_the_whole_page_away(rf: RequestFactory) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect("/sign-in/")
        response.set_cookie("a", "b")
        return response

    response = Fragments(view)(rf.get("/", headers={"HX-Request": "true"}))

    assert response.status_code == 204
    assert response["HX-Redirect"] == "/sign-in/"
    assert response.cookies["a"].value == "b"


def test_a_page_is_redirected_as_always_and_varies_by_the_header(rf: RequestFactory) -> None:
    response = Fragments(lambda _request: HttpResponseRedirect("/x/"))(rf.get("/"))

    assert response.status_code == 302
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("No such record."), 404),
        (Denied("Not yours."), 403),
        (DomainError("Odd."), 400),
        (TooMany("Slow down.", retry_after=7), 429),
        (Unavailable("Later."), 503),
        (OperationalError("connection to 10.0.0.1 refused"), 503),
    ],
)
def test_a_refusal_becomes_a_page_with_its_reason(
    rf: RequestFactory, error: Exception, status: int
) -> None:
    response = ErrorPages(answer).process_exception(rf.get("/"), error)

    assert response is not None
    assert response.status_code == status
    text = response.content.decode()
    assert "10.0.0.1" not in text
    if isinstance(error, DomainError):
        assert error.message in text
    assert response.get("Retry-After") == {429: "7", 503: "30"}.get(status)


def test_other_errors_are_left_to_django(rf: RequestFactory) -> None:
    assert ErrorPages(answer).process_exception(rf.get("/"), ValueError()) is None
    assert ErrorPages(answer)(rf.get("/")).status_code == 200
