import json
from collections.abc import Callable

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import translation
from django.utils.html import escape
from pytest_django import Settings
from redis import RedisError

from foundation.access.guards import PermissionMissing
from foundation.access.permissions import permissions
from foundation.errors import NotFound
from foundation.identifiers import uuid7
from foundation.web import errors

Handler = Callable[..., HttpResponse]


@pytest.fixture
def request_with_id(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/somewhere/")
    request.request_id = uuid7()  # type: ignore[attr-defined]  # as the middleware does
    return request


@pytest.mark.parametrize("status", sorted(errors._PAGES))
def test_each_page_says_reason_next_step_and_request(
    request_with_id: HttpRequest, status: int
) -> None:
    response = errors.page(request_with_id, status)

    text = response.content.decode()
    assert response.status_code == status
    assert text.count("<h1") == 1
    assert str(request_with_id.request_id) in text  # type: ignore[attr-defined]  # set above
    assert 'href="/"' in text
    assert "Traceback" not in text


def test_a_status_without_a_page_of_its_own_has_the_general_one(
    request_with_id: HttpRequest,
) -> None:
    response = errors.page(request_with_id, 418)

    assert response.status_code == 418
    assert "could not read this request" in response.content.decode()


@pytest.mark.parametrize(
    ("view", "status"), [(errors.bad_request, 400), (errors.denied, 403), (errors.not_found, 404)]
)
def test_the_handlers_never_repeat_the_exception(
    request_with_id: HttpRequest, view: Handler, status: int
) -> None:
    response = view(request_with_id, exception=ValueError("inner <secret>"))

    assert response.status_code == status
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("language", ["en", "de", "fr", "pl"])
def test_a_missing_right_is_named_in_words_so_that_it_can_be_asked_for(
    request_with_id: HttpRequest, language: str
) -> None:
    with translation.override(language):
        response = errors.refusal(request_with_id, PermissionMissing("audit.entry.read"))
        right = escape(str(permissions.get("audit.entry.read").label))

    text = response.content.decode()
    assert f"<strong>{right}</strong>" in text
    assert "audit.entry.read" not in text
    assert ("ask an administrator" in text) is (language == "en")
    assert ("The right that is missing" in text) is (language == "en")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("x"), 500),
        (OperationalError("x"), 503),
        (RedisError("x"), 503),
        (NotFound("Gone."), 404),
    ],
)
def test_the_last_page_tells_a_lost_database_from_our_own_fault(
    request_with_id: HttpRequest, error: Exception, status: int
) -> None:
    try:
        raise error
    except type(error):
        response = errors.failed(request_with_id)

    assert response.status_code == status


def test_the_last_page_comes_even_when_templates_are_broken(
    request_with_id: HttpRequest, settings: Settings
) -> None:
    settings.TEMPLATES = []

    response = errors.page(request_with_id, 500)

    assert response.status_code == 500
    assert "<h1>Something went wrong</h1>" in response.content.decode()


def test_an_old_form_is_explained(request_with_id: HttpRequest) -> None:
    response = errors.csrf_failure(request_with_id, reason="CSRF cookie not set.")

    assert response.status_code == 403
    text = response.content.decode()
    assert "too old" in text
    assert "CSRF" not in text


def test_a_program_gets_a_problem_and_no_page(rf: RequestFactory) -> None:
    response = errors.not_found(rf.get("/api/v1/nothing"))

    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["status"] == 404
