"""Django app of the vault."""

from importlib import import_module

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Credentials of outside systems: sealed, versioned, used without being shown."""

    name = "integrations.vault"
    label = "vault"

    def ready(self) -> None:
        """Contribute to the registries."""
        import_module("integrations.vault.registrations")
