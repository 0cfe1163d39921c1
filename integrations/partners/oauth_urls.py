"""Addresses of OAuth2: only what is needed is mounted (identity.md 8)."""

from django.urls import path

from integrations.partners import oauth_views

app_name = "oauth2"

urlpatterns = [
    path("oauth2/token", oauth_views.token, name="token"),
    path("oauth2/revoke", oauth_views.revoke, name="revoke"),
    path("oauth2/introspect", oauth_views.introspect, name="introspect"),
    path(".well-known/oauth-authorization-server", oauth_views.metadata, name="metadata"),
]
