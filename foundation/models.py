"""The model every table of ours starts from."""

from uuid import UUID

from django.db import models

from foundation.identifiers import uuid7


class Entity(models.Model):
    """A row with a UUIDv7 key made in Python.

    The key exists before the first INSERT, because sealed values are bound to it
    (encryption.md 2), and it never changes.
    """

    id: "models.UUIDField[UUID, UUID]" = models.UUIDField(
        primary_key=True, default=uuid7, editable=False
    )

    class Meta:
        abstract = True
