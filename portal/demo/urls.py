"""Addresses of the demo; they answer 404 outside a demo."""

from django.urls import path

from portal.demo import views

urlpatterns = [
    path("demo/", views.demo, name="demo"),
    path("demo/mail/", views.mail, name="demo-mail"),
]
