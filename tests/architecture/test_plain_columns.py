"""Text that is stored unsealed stands on a reviewed list, each column with its reason."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Field, Model

from encryption.fields import SealedField
from foundation.contracts.personal_data import FieldClass, PersonalDataSource, personal_data

LIST = Path(__file__).parent / "plain_columns.toml"
PLAIN = {FieldClass.NONE, FieldClass.LINK}
# ``CharField`` is the base of addresses, slugs and links.
TEXT = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
    ArrayField,
)
UNBOUNDED = (models.TextField, models.JSONField, ArrayField)


def plain_columns(sources: tuple[PersonalDataSource, ...]) -> Iterator[tuple[str, str]]:
    """Give table and column of everything that has to be on the list."""
    for source in sources:
        model = apps.get_model(source.model)
        for name, kind in source.fields.items():
            if has_to_be_listed(model._meta.get_field(name), kind):
                yield source.model, name


def has_to_be_listed(field: object, kind: FieldClass) -> bool:
    if not isinstance(field, Field) or isinstance(field, SealedField):
        return False
    return isinstance(field, UNBOUNDED if kind in PLAIN else TEXT)


def listed() -> dict[tuple[str, str], str]:
    tables = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return {
        (table, column): reason
        for table, columns in tables.items()
        for column, reason in columns.items()
    }


def test_every_plain_text_column_is_on_the_reviewed_list_with_a_reason() -> None:
    found = set(plain_columns(personal_data.all()))
    reviewed = listed()

    assert len(found) > 50
    assert sorted(found - set(reviewed)) == [], "seal it, or add it to plain_columns.toml"
    assert sorted(set(reviewed) - found) == [], "sealed or gone: take it off the list"
    assert [column for column, reason in reviewed.items() if len(reason) < 4] == []


def test_sealed_columns_are_not_asked_for_but_the_same_column_unsealed_would_be() -> None:
    sealed: list[tuple[type[Model], str, FieldClass]] = [
        (model, name, kind)
        for source in personal_data.all()
        for model in (apps.get_model(source.model),)
        for name, kind in source.fields.items()
        if isinstance(model._meta.get_field(name), SealedField)
    ]

    assert len(sealed) > 8
    for model, name, kind in sealed:
        assert not has_to_be_listed(model._meta.get_field(name), kind)
        assert has_to_be_listed(models.TextField(), kind), (model, name)
