"""Django app of the foundation."""

from importlib import import_module

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    """Floor 1."""

    name = "foundation"
    label = "foundation"
    verbose_name = "Foundation"

    def ready(self) -> None:
        """Contribute to the registries."""
        import_module("foundation.registrations")
