"""Start of the app."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Floor 4: people, organisations, memberships, roles, sign-in, sessions."""

    name = "accounts"
    label = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the app's contributions and receive the libraries' signals."""
        import_module("accounts.registrations")
        import_module("accounts.signals")
