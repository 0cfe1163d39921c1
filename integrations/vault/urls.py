"""Addresses of the vault."""

from django.urls import path

from integrations.vault import views

app_name = "vault"

urlpatterns = [
    path("", views.credential_list, name="list"),
    path("new/", views.create, name="create"),
    path("<uuid:credential_id>/", views.detail, name="detail"),
    path("<uuid:credential_id>/test/", views.test, name="test"),
    path("<uuid:credential_id>/tests/<uuid:result_id>/", views.result, name="result"),
    path("<uuid:credential_id>/replace/", views.replace, name="replace"),
    path("<uuid:credential_id>/destroy/", views.destroy, name="destroy"),
]
