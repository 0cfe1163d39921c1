"""Addresses of the partners' API."""

from django.urls import path

from integrations.partners.api import views

urlpatterns = [
    path("onboardings", views.OnboardingsView.as_view(), name="onboardings"),
    path("onboardings/<uuid:onboarding_id>", views.OnboardingView.as_view(), name="onboarding"),
    path(
        "onboardings/<uuid:onboarding_id>/approval-requests",
        views.ApprovalRequestsView.as_view(),
        name="approval-requests",
    ),
    path("clients", views.ClientsView.as_view(), name="clients"),
    path("clients/<uuid:client_id>", views.ClientView.as_view(), name="client"),
]
