"""The description of the API: complete, and the same as the committed one."""

from pathlib import Path
from typing import cast

import yaml
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from foundation.rest.idempotency import mark_of
from tests.api.routes import api_routes

SNAPSHOT = Path(__file__).parents[2] / "docs/api/openapi.yaml"
Node = dict[str, "Node"]


def document() -> Node:
    GENERATOR_STATS.reset()
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the library has no types
    return cast("Node", generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


def test_committed_document_is_that_of_the_code() -> None:
    written = OpenApiYamlRenderer().render(document())  # type: ignore[no-untyped-call]

    assert yaml.safe_load(written) == yaml.safe_load(SNAPSHOT.read_text(encoding="utf-8")), (
        "run make schema"
    )


def test_document_is_valid_and_made_without_warnings() -> None:
    validate_schema(document())  # type: ignore[no-untyped-call]

    assert not GENERATOR_STATS


def test_every_route_but_the_document_itself_is_described() -> None:
    paths = document()["paths"]
    described = sum(
        method.upper() in {"GET", "POST", "PATCH", "DELETE"}
        for methods in paths.values()
        for method in methods
    )

    assert described == len(api_routes()) - 1


def test_every_creating_route_describes_its_key() -> None:
    creating = [route for route in api_routes() if mark_of(getattr(route.view, "post", None))]

    assert creating
    text = SNAPSHOT.read_text(encoding="utf-8")
    assert text.count("name: Idempotency-Key") == len(
        [route for route in creating if route.method == "POST"]
    )
