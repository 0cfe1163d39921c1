"""Addresses of privacy."""

from django.urls import path

from privacy import views

app_name = "privacy"

urlpatterns = [
    path("privacy/", views.overview, name="overview"),
    path("privacy/copy/", views.ask_copy, name="ask-copy"),
    path("privacy/requests/<uuid:request_id>/", views.request_page, name="request"),
    path("privacy/requests/<uuid:request_id>/copy/", views.fetch_copy, name="fetch-copy"),
    path("privacy/erasure/", views.erasure_page, name="erasure"),
    path("privacy/erasure/cancel/", views.cancel_erasure, name="cancel-erasure"),
    path("privacy/receipts/<str:token>/", views.receipt_page, name="receipt"),
]
