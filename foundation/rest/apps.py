"""Django app of the API plumbing: it keeps the idempotency records."""

from importlib import import_module

from django.apps import AppConfig


class RestConfig(AppConfig):
    """Part of floor 1."""

    name = "foundation.rest"
    label = "rest"
    verbose_name = "API"

    def ready(self) -> None:
        """Contribute to the registries."""
        import_module("foundation.rest.registrations")
