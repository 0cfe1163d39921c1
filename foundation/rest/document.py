"""Serve the OpenAPI document."""

from functools import lru_cache

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.rest.preconditions import etag_of
from foundation.rest.views import ApiView


class OpenApiDocument(ApiView):
    """The description of this API, for people's tools; public."""

    open_reason = "developers read the description before they have a token"

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - DRF's signature
        """Return the document."""
        document = _document()
        return self.versioned(document, etag=etag_of(document))


@lru_cache(maxsize=1)
def _document() -> dict[str, object]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the library has no types
    document: dict[str, object] = generator.get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return document
