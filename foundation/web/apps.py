"""Django app of the web part: static files and template tags."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages, components and what every page shares."""

    name = "foundation.web"
    label = "web"
    verbose_name = "Web"
