"""What holds for every route of the API, whoever wrote it."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from pytest_django import Settings
from rest_framework.request import Request

from foundation.principals import ActorType, Principal
from foundation.rest.authentication import BearerAuthentication
from foundation.rest.idempotency import mark_of
from foundation.rest.permissions import scopes_of
from foundation.rest.problems import CONTENT_TYPE
from foundation.rest.scopes import scopes
from tests.api.routes import Route, api_routes

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

ROUTES = api_routes()
CLOSED = tuple(route for route in ROUTES if not route.view.open_reason)


def methods_of(route: Route) -> set[str]:
    """Return the methods that the address of a route has."""
    return {one.method for one in ROUTES if one.path == route.path}


NOBODY = Principal(
    kind=ActorType.INTEGRATION, id=UUID(int=1), organisation_id=UUID(int=2), label="nobody"
)


@pytest.fixture(autouse=True)
def generous(settings: Settings) -> None:
    """Let the walk be as long as it is."""
    settings.API_PLANS = {"standard": (100_000, 60), "open": (100_000, 60)}


class FixedAuth(BearerAuthentication):
    """Takes every token for that of a principal without rows."""

    principal = NOBODY

    def principal_of_token(self, token: str, request: Request) -> Principal | None:  # noqa: ARG002
        """Return the principal."""
        return self.principal


def asked(route: Route, principal: Principal, **headers: str) -> HttpResponseBase:
    """Ask a view directly, as a principal of our choice."""

    class Auth(FixedAuth):
        pass

    Auth.principal = principal
    view = route.view.as_view(authentication_classes=(Auth,))
    request: HttpRequest = RequestFactory().generic(
        route.method,
        route.path,
        b"{}",
        content_type="application/json",
        headers={"Authorization": "Bearer x", **headers},
    )
    return view(request, **route.arguments)


def with_scopes(route: Route) -> Principal:
    return replace(NOBODY, scopes=frozenset(scopes_of(route.view, route.method)))


def test_there_are_routes() -> None:
    assert len(ROUTES) > 5
    assert CLOSED


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_route_names_known_scopes_or_a_reason_to_be_open(route: Route) -> None:
    if route.view.open_reason:
        assert len(route.view.open_reason) > 20
        return
    asked_for = scopes_of(route.view, route.method)
    assert asked_for
    assert set(asked_for) <= set(scopes.keys())


@pytest.mark.parametrize("route", CLOSED, ids=str)
@pytest.mark.parametrize("header", ["", "Bearer unknown", "Basic eDp4"])
def test_route_is_closed_without_a_valid_token(route: Route, header: str, client: Client) -> None:
    response: Answer = client.generic(route.method, route.path, headers={"Authorization": header})

    assert response.status_code == 401
    assert response["Content-Type"] == CONTENT_TYPE
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", CLOSED, ids=str)
def test_route_is_closed_to_a_token_with_every_other_scope(route: Route) -> None:
    others = frozenset(scopes.keys()) - set(scopes_of(route.view, route.method))

    response = asked(route, replace(NOBODY, scopes=others))

    assert response.status_code == 403
    assert "insufficient_scope" in response["WWW-Authenticate"]


@pytest.mark.parametrize("route", CLOSED, ids=str)
def test_route_refuses_an_unknown_parameter_by_name(route: Route) -> None:
    response = asked(replace(route, path=route.path), with_scopes(route))
    with_parameter = _with_query(route, "nothing=1")

    assert response.status_code != 403
    assert with_parameter.status_code == 400
    assert b'"parameter":"nothing"' in getattr(with_parameter, "content", b"")


@pytest.mark.parametrize(
    "route",
    [one for one in CLOSED if one.method in {"PATCH", "DELETE"} and one.view.needs_if_match],
    ids=str,
)
def test_change_without_a_version_is_refused(route: Route) -> None:
    assert asked(route, with_scopes(route)).status_code == 428


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "POST"], ids=str)
def test_creating_request_without_a_key_is_refused(route: Route) -> None:
    assert mark_of(route.view.post) is not None  # type: ignore[attr-defined]  # POST routes have it

    response = asked(route, with_scopes(route))

    assert response.status_code == 400
    body = json.loads(getattr(response, "content", b""))
    assert body["code"] == "idempotency_key_missing"


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "LINK"])
def test_other_methods_are_refused_as_problems(method: str, client: Client) -> None:
    for path in {route.path for route in ROUTES}:
        response = client.generic(method, path)

        assert response.status_code in {401, 405}, path
        assert response["Content-Type"] == CONTENT_TYPE, path


@pytest.mark.parametrize(
    ("route", "method"),
    [
        (one, method)
        for one in CLOSED
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS")
        if method not in methods_of(one)
    ],
    ids=str,
)
def test_a_method_that_is_missing_is_told_with_those_that_exist(route: Route, method: str) -> None:
    existing = methods_of(route)

    response = asked(replace(route, method=method), NOBODY)

    assert response.status_code == 405
    assert set(response["Allow"].split(", ")) - {"HEAD"} == existing


def _with_query(route: Route, query: str) -> HttpResponseBase:
    class Auth(FixedAuth):
        principal = with_scopes(route)

    request = RequestFactory().generic(
        route.method,
        f"{route.path}?{query}",
        b"{}",
        content_type="application/json",
        headers={"Authorization": "Bearer x"},
    )
    view = route.view.as_view(authentication_classes=(Auth,))
    return view(request, **route.arguments)
