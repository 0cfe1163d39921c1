"""All addresses of the portal; each app keeps its own."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from portal import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("", include("portal.demo.urls")),
    path("", include("foundation.web.urls")),
    path("", include("accounts.urls")),
    path("", include("audit.urls")),
    path("", include("privacy.urls")),
    path("records/", include("workspace.records.urls")),
    path("vault/", include("integrations.vault.urls")),
    path("partners/", include("integrations.partners.urls")),
    path("", include("integrations.partners.oauth_urls")),
    path("health/", include("operations.health.urls")),
    path("developers/", include("foundation.rest.urls")),
    path("api/v1/", include("portal.api_urls")),
    path("admin/", admin.site.urls),
]

handler400 = "foundation.web.errors.bad_request"
handler403 = "foundation.web.errors.denied"
handler404 = "foundation.web.errors.not_found"
handler500 = "foundation.web.errors.failed"
