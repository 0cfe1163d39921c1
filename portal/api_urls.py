"""All addresses of the partner API, version 1; each app keeps its own."""

from django.urls import URLPattern, URLResolver, include, path

from foundation.rest.document import OpenApiDocument

urlpatterns: list[URLPattern | URLResolver] = [
    path("openapi.json", OpenApiDocument.as_view(), name="openapi"),
    path("", include("workspace.records.api.urls")),
    path("", include("integrations.partners.api.urls")),
]
