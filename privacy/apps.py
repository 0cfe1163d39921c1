"""Django app of privacy."""

from importlib import import_module

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """Floor 5."""

    name = "privacy"
    verbose_name = "Privacy"

    def ready(self) -> None:
        """Contribute to the registries."""
        import_module("privacy.registrations")
