"""Addresses of health."""

from django.urls import path

from operations.health import views

urlpatterns = [
    path("live", views.live, name="health_live"),
    path("ready", views.ready, name="health_ready"),
    path("startup", views.startup, name="health_startup"),
]
