"""Which database holds what: the key store in ``keys``, everything else in ``default``."""

from typing import Final

from django.db import models

APP: Final = "encryption"
KEYS: Final = "keys"
DEFAULT: Final = "default"

_BLIND_INDEX = "blindindexentry"


class KeysRouter:
    """Sends the key store's models to ``keys``; nothing is migrated on any third alias.

    A migration step without a model (RunSQL, RunPython) runs on ``default`` unless it carries
    ``hints={"database": "keys"}``.
    """

    def db_for_read(self, model: type[models.Model], **_hints: object) -> str | None:
        """Return ``keys`` for the key store's models."""
        return KEYS if _in_key_store(*_names(model)) else None

    def db_for_write(self, model: type[models.Model], **_hints: object) -> str | None:
        """Return ``keys`` for the key store's models."""
        return KEYS if _in_key_store(*_names(model)) else None

    def allow_relation(
        self, obj1: models.Model, obj2: models.Model, **_hints: object
    ) -> bool | None:
        """Refuse relations between the two databases."""
        first = _in_key_store(*_names(obj1.__class__))
        return first == _in_key_store(*_names(obj2.__class__))

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: object
    ) -> bool | None:
        """Say whether a migration step runs on a database."""
        if model_name is None:
            return db == hints.get("database", DEFAULT)
        return db == (KEYS if _in_key_store(app_label, model_name) else DEFAULT)


def _names(model: type[models.Model]) -> tuple[str, str]:
    return model._meta.app_label, model._meta.model_name or ""  # noqa: SLF001  Django's model API


def _in_key_store(app_label: str, model_name: str) -> bool:
    return app_label == APP and model_name.lower() != _BLIND_INDEX
