"""The row of the benchmark, without and with a log of its changes."""

from typing import ClassVar
from uuid import UUID, uuid4

from auditlog.registry import auditlog
from django.db import models


class Columns(models.Model):
    """The columns of ``tests.benchmarks.models.Account``."""

    id: "models.UUIDField[UUID, UUID]" = models.UUIDField(primary_key=True, default=uuid4)
    organisation_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(default=uuid4)
    subject_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(default=uuid4)
    code = models.TextField(db_index=True)
    balance = models.IntegerField(default=0)
    note = models.TextField()

    class Meta:
        abstract = True
        indexes: ClassVar = [models.Index(fields=("organisation_id", "code"))]

    def __str__(self) -> str:
        return str(self.id)


class SilentAccount(Columns):
    """The floor."""

    class Meta(Columns.Meta):
        abstract = False


class LoggedAccount(Columns):
    """The rival."""

    class Meta(Columns.Meta):
        abstract = False


auditlog.register(LoggedAccount)
