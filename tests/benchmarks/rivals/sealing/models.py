"""The row of the benchmark in a rival's fields, as its documentation says.

The fields are named in text: each environment holds one of the packages.
"""

from collections.abc import Callable
from typing import ClassVar, Final
from uuid import UUID, uuid4

from django.db import models
from django.utils.module_loading import import_string

from tests.benchmarks.rivals.sealing.settings import RIVAL
from tests.benchmarks.rows import COLUMNS

Columns = dict[str, "models.Field[str, str]"]

INDEXED: Final = "email"


class Person(models.Model):
    """The columns of ``tests.benchmarks.models.Owned``; those of the values are added below."""

    id: "models.UUIDField[UUID, UUID]" = models.UUIDField(primary_key=True, default=uuid4)
    organisation_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(default=uuid4)
    subject_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(default=uuid4)

    objects: ClassVar[models.Manager["Person"]] = models.Manager()

    def __str__(self) -> str:
        return str(self.id)


def of_cryptography() -> Columns:
    """Return text fields inside of ``encrypt``."""
    encrypt = import_string("django_cryptography.fields.encrypt")
    return {name: encrypt(models.TextField()) for name in COLUMNS}


def of_encrypted_model() -> Columns:
    """Return the package's text fields."""
    field = import_string("encrypted_model_fields.fields.EncryptedTextField")
    return {name: field() for name in COLUMNS}


def of_searchable() -> Columns:
    """Return the package's text fields, and its search field for the e-mail address."""
    field = import_string("encrypted_fields.fields.EncryptedTextField")
    search = import_string("encrypted_fields.fields.SearchField")
    data = f"_{INDEXED}_data"
    columns: Columns = {name: field() for name in COLUMNS if name != INDEXED}
    return {
        **columns,
        data: field(),
        INDEXED: search(hash_key="of a benchmark", encrypted_field_name=data),
    }


MAKERS: Final[dict[str, Callable[[], Columns]]] = {
    "django_cryptography_5": of_cryptography,
    "django_encrypted_model_fields": of_encrypted_model,
    "django_searchable_encrypted_fields": of_searchable,
}

for _name, _field in MAKERS[RIVAL]().items():
    Person.add_to_class(_name, _field)
