from decimal import Decimal
from types import MappingProxyType
from typing import cast

import pytest
from django.test import Client
from django.utils.translation import gettext_lazy

from foundation.rest.renderers import FastJsonRenderer, dump

Node = dict[str, "Node"]


def document(client: Client) -> Node:
    return cast("Node", client.get("/api/v1/openapi.json").json())


def test_document_is_public_and_of_version_three_one(stranger: Client) -> None:
    response = stranger.get("/api/v1/openapi.json")

    assert response.status_code == 200
    assert response.json()["openapi"] == "3.1.0"
    assert (
        stranger.get(
            "/api/v1/openapi.json", headers={"If-None-Match": response["ETag"]}
        ).status_code
        == 304
    )


def test_every_operation_names_problem_and_scopes(stranger: Client) -> None:
    found = document(stranger)
    operations = [
        (path, method, cast("dict[str, object]", operation))
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    ]

    assert operations
    for path, _, operation in operations:
        responses = cast("dict[str, object]", operation["responses"])
        assert responses["default"] == {"$ref": "#/components/responses/Problem"}
        is_open = path.startswith("/api/v1/failures")
        assert bool(operation["security"]) is not is_open
    assert "Problem" in found["components"]["schemas"]
    assert "partner" in found["components"]["securitySchemes"]


@pytest.mark.parametrize(
    ("path", "method", "names"),
    [
        (
            "/api/v1/samples",
            "get",
            {"limit", "cursor", "sort", "status", "claim", "claimed_at.gte"},
        ),
        ("/api/v1/samples", "post", {"Idempotency-Key"}),
        ("/api/v1/samples/{number}", "patch", {"If-Match", "number"}),
    ],
)
def test_shared_parameters_are_described(
    stranger: Client, path: str, method: str, names: set[str]
) -> None:
    operation = cast("dict[str, object]", document(stranger)["paths"][path][method])

    parameters = cast("list[dict[str, object]]", operation["parameters"])
    assert {parameter["name"] for parameter in parameters} == names


def test_list_is_described_with_its_cursor(stranger: Client) -> None:
    operation = document(stranger)["paths"]["/api/v1/samples"]["get"]

    shape = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(shape["properties"]) == {"data", "next"}


def test_renderer_writes_nothing_for_no_data_and_refuses_what_it_does_not_know() -> None:
    assert FastJsonRenderer().render(None) == b""
    assert dump({"a": frozenset({"b"})}) == b'{"a":["b"]}'
    assert dump([Decimal("1.10"), gettext_lazy("Yes"), MappingProxyType({1: None})]) == (
        b'["1.10","Yes",{"1":null}]'
    )
    with pytest.raises(TypeError):
        dump({"a": object()})
