"""Django app of health: live, ready, startup."""

from importlib import import_module

from django.apps import AppConfig


class HealthConfig(AppConfig):
    """What monitors and proxies ask."""

    name = "operations.health"
    label = "health"
    verbose_name = "Health"

    def ready(self) -> None:
        """Register the checks."""
        import_module("operations.health.registrations")
