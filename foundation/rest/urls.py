"""Addresses of the pages for developers, under ``/developers/``."""

from django.urls import path

from foundation.rest import pages

urlpatterns = [
    path("", pages.overview, name="developers"),
    path("problems/<slug:code>/", pages.problem_type, name="problem_type"),
]
