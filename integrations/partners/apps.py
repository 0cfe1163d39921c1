"""Start of the app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    """Onboarding, partner clients and OAuth2."""

    name = "integrations.partners"
    label = "partners"
    verbose_name = _("Partners")

    def ready(self) -> None:
        """Register the app's contributions."""
        import_module("integrations.partners.registrations")
