"""The model every table of ours starts from."""

from uuid import UUID

from django.db import models

from foundation.identifiers import uuid7


class Entity(models.Model):
    """A row with a UUIDv7 key made in Python.

    The key exists before the first INSERT, because sealed values are bound to it
    (encryption.md 2), and it never changes.
    """

    id: models.UUIDField[UUID, UUID] = models.UUIDField(
        primary_key=True, default=uuid7, editable=False
    )

    class Meta:
        abstract = True


class Installation(Entity):
    """What this database is for: one row, written once, read at start.

    A demo database shows its people's secrets on ``/demo/`` and refuses to serve with production
    settings; a test database lets tests move the clock.
    """

    class Kind(models.TextChoices):
        """Purposes of a database."""

        PRODUCTION = "production"
        DEMO = "demo"
        TEST = "test"

    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PRODUCTION)
    clock_offset_seconds = models.BigIntegerField(default=0)
    is_only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="installation_one_row", condition=models.Q(is_only=True)),
            models.CheckConstraint(
                name="installation_clock_moves_in_tests",
                condition=models.Q(clock_offset_seconds=0) | models.Q(kind="test"),
            ),
        ]

    def __str__(self) -> str:
        return self.kind
