"""System checks of sealed fields and of the key store's set-up (encryption.md 2)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from django.apps import apps
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.admin.sites import all_sites
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from encryption import labels
from encryption.fields import AnySealedField
from encryption.refusals import sealed_field_at
from encryption.router import DEFAULT, KEYS
from encryption.sealed import SealedMixin, SealedQuerySet, sealed_fields
from foundation.contracts import key_journal

LOW_ENTROPY = frozenset({"postcode", "zip", "city", "country", "gender", "birth_date", "phone"})

Model = type[models.Model]


class Searched(Protocol):
    """What the checks read of an admin class."""

    @property
    def list_filter(self) -> Iterable[object]:
        """Filters."""
        ...

    @property
    def search_fields(self) -> Iterable[object]:
        """Searched paths."""
        ...

    @property
    def ordering(self) -> Iterable[object] | None:
        """Order of the list."""
        ...


def register_all() -> None:
    """Register the checks with Django."""
    register(check_labels)
    register(check_models)
    register(check_admin)
    register(check_databases)
    register(check_journal)


def check_labels(app_configs: object = None, **_options: object) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse duplicate labels (E001) and labels that differ from the registry (E002)."""
    return list(label_problems(labels.declared(), labels.registered()))


def check_models(
    app_configs: object = None,  # noqa: ARG001
    *,
    registry: Apps = apps,
    **_options: object,
) -> list[CheckMessage]:
    """Refuse models that sealed values do not fit into (E003 to E007)."""
    return [problem for model in registry.get_models() for problem in model_problems(model)]


def check_admin(app_configs: object = None, **_options: object) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse sealed fields in filters and searches of the admin (E005)."""
    return [
        problem
        for site in all_sites
        for model, model_admin in site._registry.items()  # noqa: SLF001  Django has no accessor
        for problem in admin_problems(model, model_admin)
    ]


def check_databases(app_configs: object = None, **_options: object) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse a keys database that is missing or the same as the data (E008)."""
    keys, data = settings.DATABASES.get(KEYS), settings.DATABASES[DEFAULT]
    names = ("HOST", "PORT", "NAME")
    if keys is None or [keys.get(name) for name in names] == [data.get(name) for name in names]:
        return [
            Error(
                "The keys database is missing, or is the database of the data.",
                hint="Give KEYS_DATABASE_URL the address of a database of its own.",
                id="encryption.E008",
            )
        ]
    return []


def check_journal(app_configs: object = None, **_options: object) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse a start in which the key store's events would go nowhere (E009)."""
    if key_journal.port.is_provided:
        return []
    return [Error("Nothing journals the events of the key store.", id="encryption.E009")]


def label_problems(
    found: Sequence[labels.Label], known: dict[str, labels.Label]
) -> Iterator[CheckMessage]:
    """Yield E001 and E002."""
    for name, count in Counter(label.label for label in found).items():
        if count > 1:
            yield Error(f"Label {name} is used {count} times.", id="encryption.E001")
    for label in found:
        entry = known.get(label.label)
        if entry is None or entry.state != labels.ACTIVE or not entry.describes(label):
            yield Error(
                f"Label {label.label} is not in encryption/labels.toml as declared.",
                hint="New field: manage.py encryption_labels --write. A label is never changed.",
                id="encryption.E002",
            )


def model_problems(model: Model) -> Iterator[CheckMessage]:
    """Yield E003 to E007 of one model."""
    fields = sealed_fields(model)
    if not fields:
        return
    if not _has_uuid_default(model):
        yield _error(model, "E003", "its key is no UUID made in Python")
    if not issubclass(model, SealedMixin) or not _has_sealed_manager(model):
        yield _error(model, "E007", "it lacks SealedMixin or a sealed default manager")
    for field in fields:
        yield from _field_problems(model, field)
    for name in _ordered_and_constrained(model):
        if sealed_field_at(model, name) is not None:
            yield _error(model, "E005", f"{name} stands in an index, constraint or ordering")


def admin_problems(model: Model, model_admin: Searched) -> Iterator[CheckMessage]:
    """Yield E005 of one admin class."""
    names = [
        *model_admin.list_filter,
        *model_admin.search_fields,
        *(model_admin.ordering or ()),
    ]
    for name in names:
        path = name[0] if isinstance(name, tuple | list) else name
        if isinstance(path, str) and sealed_field_at(model, path.lstrip("^=@")) is not None:
            yield _error(model, "E005", f"{path} is searched, filtered or ordered by its admin")


def _field_problems(model: Model, field: AnySealedField) -> Iterator[CheckMessage]:
    if field.owner not in _columns(model):
        yield _error(model, "E004", f"{field.owner}, owner of {field.name}, is no column")
    if field.unique or getattr(field, "db_index", False):
        yield _error(model, "E005", f"{field.name} is unique or indexed")
    if field.blind_index and _is_guessable(field):
        yield _error(model, "E006", f"{field.name} is too easily guessed for a blind index")


def _error(model: Model, code: str, what: str) -> Error:
    return Error(f"{model._meta.label}: {what}.", obj=model, id=f"encryption.{code}")  # noqa: SLF001


def _has_uuid_default(model: Model) -> bool:
    key = model._meta.pk  # noqa: SLF001
    while key is not None and key.remote_field is not None:
        key = key.remote_field.model._meta.pk  # noqa: SLF001  parent of an inherited table
    return isinstance(key, models.UUIDField) and callable(key.default)


def _has_sealed_manager(model: Model) -> bool:
    queryset = getattr(model._default_manager, "_queryset_class", object)  # noqa: SLF001
    return issubclass(queryset, SealedQuerySet)


def _columns(model: Model) -> set[str]:
    return {field.attname for field in model._meta.concrete_fields}  # noqa: SLF001


def _is_guessable(field: AnySealedField) -> bool:
    return bool(field.choices) or not field.can_be_indexed or field.name in LOW_ENTROPY


def _ordered_and_constrained(model: Model) -> Iterator[str]:
    meta = model._meta  # noqa: SLF001
    yield from (name for name in meta.ordering or () if isinstance(name, str))
    for together in meta.unique_together:
        yield from together
    for index in meta.indexes:
        yield from (name for name, _ in index.fields_orders)
    for constraint in meta.constraints:
        yield from _existing(model, getattr(constraint, "fields", ()))


def _existing(model: Model, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            model._meta.get_field(name)  # noqa: SLF001
        except FieldDoesNotExist:
            continue
        yield name
