"""Start of the app."""

from importlib import import_module

from django.apps import AppConfig


class EncryptionConfig(AppConfig):
    """Key store, envelope encryption, sealed fields."""

    name = "encryption"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the app's contributions."""
        import_module("encryption.registrations")
