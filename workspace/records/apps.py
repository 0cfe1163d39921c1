"""Django app of records."""

from importlib import import_module

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """Customer and partner records with sealed fields."""

    name = "workspace.records"
    label = "records"

    def ready(self) -> None:
        """Contribute to the registries."""
        import_module("workspace.records.registrations")
