"""Django app of the web part: static files and template tags."""

from importlib import import_module

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages, components and what every page shares."""

    name = "foundation.web"
    label = "web"
    verbose_name = "Web"

    def ready(self) -> None:
        """Register the contributions of the web part."""
        import_module("foundation.web.registrations")
