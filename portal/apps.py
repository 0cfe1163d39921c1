"""Django apps of the composition root."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from foundation.registry import freeze_all
from portal.celery import app as celery_app

__all__ = ["PortalAdminConfig", "PortalConfig", "celery_app"]


class PortalAdminConfig(AdminConfig):
    """The Django admin behind our verdict of assurance."""

    default_site = "accounts.admin_site.PortalAdminSite"


class PortalConfig(AppConfig):
    """Floor 8; comes last and freezes the registries."""

    name = "portal"

    def ready(self) -> None:
        """Freeze what all apps have contributed."""
        import_module("portal.signals")
        freeze_all()
