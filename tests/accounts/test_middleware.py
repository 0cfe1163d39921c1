"""The scope of a request, and what happens to a request that cannot be judged."""

from collections.abc import Callable
from typing import cast

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import RequestFactory

from accounts.middleware import AssuranceMiddleware, OrganisationScopeMiddleware
from accounts.models import Team
from foundation.access.guards import signed_in, without_scope
from foundation.errors import Conflict
from foundation.principals import VISITOR, Principal
from foundation.tenancy import current_organisation
from tests.factories.accounts import Browser

View = Callable[..., HttpResponse]


def run(view: View, principal: Principal) -> HttpResponse | None:
    request = request_of(principal)
    middleware = OrganisationScopeMiddleware(lambda _request: HttpResponse())
    return cast("HttpResponse | None", middleware.process_view(request, view, (), {}))


def request_of(principal: Principal) -> HttpRequest:
    request = RequestFactory().get("/anything/")
    request.principal = principal  # type: ignore[attr-defined]  # ours
    request.user = AnonymousUser()
    request.session = {}  # type: ignore[assignment]  # what the middleware asks of it
    return request


def test_a_view_runs_in_the_scope_of_the_chosen_organisation(alice: Browser) -> None:
    seen = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(current_organisation())
        return HttpResponse("done")

    answer = run(view, alice.principal)

    assert answer is not None
    assert seen == [alice.organisation.pk]
    assert current_organisation() is None


def test_a_template_that_renders_late_is_rendered_inside(alice: Browser) -> None:
    seen = []

    def view(request: HttpRequest) -> TemplateResponse:
        response = TemplateResponse(request, "errors/429.html", {})
        response.add_post_render_callback(lambda _done: seen.append(current_organisation()))
        return response

    run(view, alice.principal)

    assert seen == [alice.organisation.pk]


def test_what_a_view_refuses_rolls_back_and_becomes_a_page(alice: Browser) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        Team.objects.create(name="half written")
        raise Conflict("The version is old.")

    answer = run(view, alice.principal)

    assert answer is not None
    assert answer.status_code == 409
    assert not Team.objects.exists()


def test_a_lost_database_becomes_a_clear_page(alice: Browser) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        raise OperationalError("gone")

    answer = run(view, alice.principal)

    assert answer is not None
    assert answer.status_code == 503
    assert "gone" not in answer.content.decode()


def test_a_view_may_opt_out_of_the_scope(alice: Browser) -> None:
    @signed_in
    @without_scope
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    assert run(view, alice.principal) is None  # type: ignore[arg-type]  # a guarded view


def test_a_visitor_has_no_scope() -> None:
    assert run(lambda _request: HttpResponse(), VISITOR) is None


@pytest.mark.parametrize("who", ["alice", "visitor"])
def test_a_view_without_a_guard_is_denied_to_everybody(
    who: str, request: pytest.FixtureRequest
) -> None:
    browser: Browser = request.getfixturevalue(who)
    principal = browser.principal if who == "alice" else VISITOR
    middleware = AssuranceMiddleware(lambda _request: HttpResponse())
    asked = request_of(principal)
    asked.user = getattr(browser, "user", None) or _Nobody()  # type: ignore[assignment]

    answer = middleware.process_view(asked, lambda _request: HttpResponse(), (), {})

    assert answer is not None
    assert answer.status_code in {302, 403}


class _Nobody:
    is_authenticated = False
