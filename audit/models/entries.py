"""Entries as they are read: unmanaged, by alias ``journal_read``, without save or delete.

Written only by ``audit.rows``. The table, its partitions and triggers stand in migration 0001.
"""

import json
from functools import cached_property
from typing import NoReturn, TypeVar
from uuid import UUID

from django.db import models

from encryption.types import Owner, OwnerKind

READ_ALIAS = "journal_read"


EntryRow = TypeVar("EntryRow", bound="Entry")


class EntryManager(models.Manager[EntryRow]):
    """Reads by the role that may read the journal, never by the web role."""

    def get_queryset(self) -> models.QuerySet[EntryRow]:
        """Return entries by alias ``journal_read``."""
        return super().get_queryset().using(READ_ALIAS)


class Entry(models.Model):
    """Columns of an entry; those beside ``body`` are copies of values in it, for search."""

    event_id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()
    epoch = models.SmallIntegerField()
    db_user = models.TextField()
    occurred_at = models.DateTimeField()
    writer = models.SmallIntegerField()
    type = models.TextField()
    outcome = models.TextField()
    severity = models.SmallIntegerField()
    retention = models.TextField()
    schema_ver = models.SmallIntegerField()
    organisation_id = models.UUIDField(null=True)
    actor_type = models.TextField()
    actor_id = models.UUIDField(null=True)
    on_behalf_of = models.UUIDField(null=True)
    credential_id = models.UUIDField(null=True)
    session_tag = models.BinaryField(null=True)
    target_type = models.TextField(null=True)  # noqa: DJ001  as the table says
    target_id = models.TextField(null=True)  # noqa: DJ001
    request_id = models.UUIDField()
    net = models.TextField(null=True)  # noqa: DJ001  cidr, read as text
    cc = models.CharField(max_length=2, null=True)  # noqa: DJ001
    asn = models.BigIntegerField(null=True)
    body = models.TextField()
    actor_sealed = models.BinaryField(null=True)
    subject_sealed = models.BinaryField(null=True)

    class Meta:
        abstract = True
        managed = False

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    def save(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Refuse: entries are written by ``audit.services.record`` and never changed."""
        raise TypeError("journal entries are never saved")

    def delete(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Refuse: entries are never deleted."""
        raise TypeError("journal entries are never deleted")

    @cached_property
    def content(self) -> dict[str, object]:
        """The body, read."""
        read: dict[str, object] = json.loads(self.body)
        return read

    @property
    def actor_owner(self) -> Owner | None:
        """Whose key the actor's part is under; None where only the day's."""
        kind = self._sealed_under("actor")
        if kind == OwnerKind.SUBJECT and self.actor_id is not None:
            return Owner(OwnerKind.SUBJECT, self.actor_id)
        if kind == OwnerKind.ORGANISATION and self.organisation_id is not None:
            return Owner(OwnerKind.ORGANISATION, self.organisation_id)
        return None

    @property
    def subject_owner(self) -> Owner | None:
        """Whose key the part about a person is under; None where there is none."""
        kind = self._sealed_under("subject")
        about = self.content.get("about")
        if kind == OwnerKind.SUBJECT and isinstance(about, str):
            return Owner(OwnerKind.SUBJECT, UUID(about))
        if kind == OwnerKind.ORGANISATION and self.organisation_id is not None:
            return Owner(OwnerKind.ORGANISATION, self.organisation_id)
        return None

    def _sealed_under(self, part: str) -> str | None:
        sealed = self.content.get("sealed")
        kind = sealed.get(part) if isinstance(sealed, dict) else None
        return kind if isinstance(kind, str) else None


class AuditEvent(Entry):
    """One entry of the journal."""

    objects = EntryManager()

    class Meta(Entry.Meta):
        abstract = False
        managed = False
        db_table = "audit_event"


class OwnHistory(Entry):
    """The entries of one person, filtered by the database (setting ``gatehouse.subject``)."""

    objects = EntryManager()

    class Meta(Entry.Meta):
        abstract = False
        managed = False
        db_table = "audit_own_history"
