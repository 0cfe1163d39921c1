"""Addresses of the pages that belong to no app; included at the root by ``portal.urls``."""

from django.urls import path

from foundation.web import gallery, views

urlpatterns = [
    path("language/", views.choose_language, name="choose_language"),
    path("theme/", views.choose_theme, name="choose_theme"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:app>/<slug:page>/", views.help_topic, name="help_topic"),
    path("contact/", views.contact, name="contact"),
    path("components/", gallery.components, name="components"),
    path("csp-report", views.csp_report, name="csp_report"),
    path("robots.txt", views.robots, name="robots"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("favicon.ico", views.favicon, name="favicon"),
]
