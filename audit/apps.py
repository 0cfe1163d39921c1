"""Start of the app."""

from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The tamper-evident journal and what reads it for security."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the app's contributions and provide the journal to the key store."""
        import_module("audit.registrations")
