"""Addresses of the partners' pages."""

from django.urls import path

from integrations.partners import views

app_name = "partners"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("terms/", views.terms, name="terms"),
    path("approval/", views.ask_approval, name="ask-approval"),
    path("clients/<uuid:client_id>/", views.client, name="client"),
    path("clients/<uuid:client_id>/revoke/", views.revoke_client, name="revoke-client"),
    path("clients/<uuid:client_id>/secrets/new/", views.make_secret, name="make-secret"),
    path(
        "clients/<uuid:client_id>/secrets/<uuid:secret_id>/revoke/",
        views.revoke_secret,
        name="revoke-secret",
    ),
]
