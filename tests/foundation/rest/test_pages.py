import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from foundation.rest.problem_types import problem_types
from foundation.rest.scopes import scopes

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def portal(settings: Settings) -> None:
    """Serve the real addresses: the pages link to others."""
    settings.ROOT_URLCONF = "portal.urls"


def test_overview_is_public_and_names_every_scope_and_problem(stranger: Client) -> None:
    response = stranger.get("/developers/")

    text = response.content.decode()
    assert response.status_code == 200
    assert "private_key" not in text.split("<pre")[0]
    assert text.count("<h1") == 1
    for scope in scopes:
        assert scope.code in text
    for kind in problem_types:
        assert f"/developers/problems/{kind.code}/" in text


def test_every_problem_type_has_its_page(stranger: Client) -> None:
    pages = [stranger.get(f"/developers/problems/{kind.code}/") for kind in problem_types]

    assert pages
    assert {page.status_code for page in pages} == {200}


def test_unknown_problem_type_is_not_found(stranger: Client) -> None:
    assert stranger.get("/developers/problems/nothing/").status_code == 404


def test_reference_lists_the_types_of_the_code() -> None:
    text = (ROOT / "docs/reference/problems.md").read_text(encoding="utf-8")

    listed = {(code, int(status)) for code, status in re.findall(r"\| `(\w+)` \| (\d+) \|", text)}
    assert listed == {(kind.code, kind.status) for kind in problem_types}
