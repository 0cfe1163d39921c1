"""The OpenAPI 3.1 document: made from the views, with what holds for all of them."""

from collections.abc import Mapping
from typing import cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

from foundation.rest.idempotency import HEADER as IDEMPOTENCY_HEADER
from foundation.rest.idempotency import mark_of
from foundation.rest.listing import DEFAULT_LIMIT, MAX_LIMIT, Filter, Listing
from foundation.rest.permissions import scopes_of
from foundation.rest.scopes import scopes

API_PREFIX = "/api/v1/"
SCHEME = "partner"
PROBLEM_REFERENCE = "#/components/responses/Problem"
CHANGING = frozenset({"PATCH", "DELETE"})

PROBLEM_SCHEMA: dict[str, object] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Page about this kind."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable code for programs."},
        "request_id": {"type": "string", "description": "Name it when you ask for help."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer into the body; empty: the whole body.",
                    },
                    "parameter": {
                        "type": "string",
                        "description": "Query parameter or header, in place of a pointer.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
RATE_HEADERS: dict[str, object] = {
    "RateLimit": {"schema": {"type": "string"}, "description": "What is left, and how long."},
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": "Your plan's limit."},
}
NEXT_SCHEMA: dict[str, object] = {
    "type": ["string", "null"],
    "description": "Cursor of the next page; null on the last one.",
}

Operation = dict[str, object]


class ApiSchema(AutoSchema):
    """Describes one view."""

    def get_operation(
        self,
        path: str,
        path_regex: str,
        path_prefix: str,
        method: str,
        registry: ComponentRegistry,
    ) -> Operation | None:
        """Return the operation with security, shared parameters and problems."""
        operation = cast(
            "Operation | None",
            super().get_operation(path, path_regex, path_prefix, method, registry),
        )
        if operation is None:
            return None
        asked = scopes_of(self.view, method)
        is_open = bool(getattr(self.view, "open_reason", ""))
        operation["security"] = [] if is_open else [{SCHEME: list(asked)}]
        parameters = [*_parameters(operation), *self._own_parameters(method)]
        if parameters:
            operation["parameters"] = parameters
        if method == "GET" and getattr(self.view, "listing", None) is not None:
            _wrap_page(operation)
        _add_problem(operation)
        return operation

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return nothing: security is set above, from the view's scopes."""
        return []

    def _own_parameters(self, method: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        if mark_of(getattr(self.view, method.lower(), None)) is not None:
            found.append(_header(IDEMPOTENCY_HEADER, "Random value, new for each act; 24 hours."))
        if method in CHANGING and getattr(self.view, "needs_if_match", False):
            found.append(_header("If-Match", "ETag of the version that is changed."))
        declared = getattr(self.view, "listing", None)
        if method == "GET" and isinstance(declared, Listing):
            found += _list_parameters(declared)
        return found


def only_api(endpoints: list[tuple[str, str, str, object]]) -> list[tuple[str, str, str, object]]:
    """Leave out of the document what is not part of the API (preprocessing hook)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(API_PREFIX)]


def add_shared(
    result: dict[str, object],
    generator: object,  # noqa: ARG001 - the library's signature
    request: object,  # noqa: ARG001
    public: object,  # noqa: ARG001
) -> dict[str, object]:
    """Add problem schema, answers and security scheme (postprocessing hook)."""
    components = cast("dict[str, dict[str, object]]", result.setdefault("components", {}))
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components.setdefault("responses", {})["Problem"] = {
        "description": "Any failure.",
        "headers": RATE_HEADERS,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    components["securitySchemes"] = {SCHEME: _security_scheme()}
    return result


def _security_scheme() -> dict[str, object]:
    from_registry = {scope.code: str(scope.label) for scope in scopes}
    return {
        "type": "oauth2",
        "description": "Token by client credentials, sent as Authorization: Bearer.",
        "flows": {
            "clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": from_registry},
        },
    }


def _add_problem(operation: Operation) -> None:
    responses = cast("dict[str, object]", operation.setdefault("responses", {}))
    responses["default"] = {"$ref": PROBLEM_REFERENCE}


def _wrap_page(operation: Operation) -> None:
    """Describe a list as it is sent: ``data`` and ``next`` around the rows."""
    responses = cast("dict[str, dict[str, dict[str, dict[str, object]]]]", operation["responses"])
    for media in responses.get("200", {}).get("content", {}).values():
        schema = cast("dict[str, object]", media.get("schema", {}))
        if schema.get("type") == "array":
            media["schema"] = {
                "type": "object",
                "required": ["data", "next"],
                "properties": {"data": schema, "next": NEXT_SCHEMA},
            }


def _parameters(operation: Operation) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", operation.get("parameters", []))


def _header(name: str, description: str) -> dict[str, object]:
    return {
        "in": "header",
        "name": name,
        "required": True,
        "schema": {"type": "string"},
        "description": description,
    }


def _list_parameters(declared: Listing) -> list[dict[str, object]]:
    orders = [mark + name for name in declared.sorts for mark in ("", "-")]
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    own = [
        _query("limit", limit, "Rows of a page."),
        _query("cursor", {"type": "string"}, "“next” of the page before."),
        _query("sort", {"type": "string", "enum": orders, "default": declared.default_sort}, ""),
    ]
    return own + [_filter(name, item.choices, item.describe) for name, item in _sorted(declared)]


def _sorted(declared: Listing) -> list[tuple[str, Filter]]:
    return sorted(declared.filters.items())


def _filter(name: str, choices: tuple[str, ...], description: str) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string"}
    return _query(name, {**schema, "enum": list(choices)} if choices else schema, description)


def _query(name: str, schema: Mapping[str, object], description: str) -> dict[str, object]:
    described = {"description": description} if description else {}
    return {"in": "query", "name": name, "schema": dict(schema), **described}
