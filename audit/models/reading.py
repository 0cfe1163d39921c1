"""Positions of readers, refused entries, people behind subjects, days whose key is gone."""

from django.db import models
from django.db.models.functions import Now


class Subject(models.Model):
    """Who stands behind a subject id; the row goes when the person is erased."""

    subject_id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=20)
    principal_id = models.UUIDField(db_index=True)

    class Meta:
        db_table = "audit_subject"

    def __str__(self) -> str:
        return str(self.subject_id)


class DayKey(models.Model):
    """A day whose key sealed addresses; destroyed after the days of ``AUDIT_DAY_KEY_DAYS``."""

    day = models.DateField(primary_key=True)
    destroyed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "audit_day_key"

    def __str__(self) -> str:
        return self.day.isoformat()


class Cursor(models.Model):
    """Position of one reader; moves in the transaction that stores the reader's result."""

    reader = models.CharField(max_length=60, primary_key=True)
    epoch = models.SmallIntegerField(default=0)
    xid = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0)
    occurred_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "audit_cursor"

    def __str__(self) -> str:
        return self.reader


class DeadLetter(models.Model):
    """An entry that a sink refused; kept to be looked at and sent again."""

    id = models.BigAutoField(primary_key=True)
    reader = models.CharField(max_length=60)
    event_id = models.UUIDField()
    refused_at = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=200)

    class Meta:
        db_table = "audit_dead_letter"
        constraints = [
            models.UniqueConstraint(fields=["reader", "event_id"], name="audit_dead_letter_once")
        ]

    def __str__(self) -> str:
        return f"{self.reader} {self.event_id}"
