"""Django app of the foundation."""

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    """Floor 1."""

    name = "foundation"
    label = "foundation"
    verbose_name = "Foundation"
