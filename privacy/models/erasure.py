"""Erasure: the plan a person confirmed, its items and the signed receipt."""

from django.db import models

from foundation import clock
from foundation.models import Entity
from privacy.models.subject_request import SubjectRequest


class PlanState(models.TextChoices):
    """States of an erasure (privacy.md 5)."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    ERASED_LIVE = "erased_live"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


class ErasurePlan(Entity):
    """One erasure, run after 72 hours in which signing in can still cancel it.

    Attributes:
        told_at: when the person was told by mail of the date and the receipt's address.
        enqueued_at: when a worker was last told of it; a sweep tells again what was forgotten.
        lease_until: until then it belongs to the worker that claimed it, on real time.
        key_epoch: newest epoch that may have wrapped the person's keys; the values are dead in
            every copy once it and all earlier ones are.
        completed_at: when that was so.
        receipt_digest: SHA-256 of the secret part of the receipt's address.
    """

    request = models.OneToOneField(
        SubjectRequest, on_delete=models.PROTECT, related_name="erasure_plan"
    )
    state = models.CharField(max_length=20, choices=PlanState, default=PlanState.SCHEDULED)
    runs_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    key_epoch = models.PositiveIntegerField(null=True)
    completed_at = models.DateTimeField(null=True)
    receipt_digest = models.BinaryField(null=True, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="privacy_plan_erased_has_time",
                condition=~models.Q(state__in=["erased_live", "complete"])
                | models.Q(erased_at__isnull=False),
            ),
            models.CheckConstraint(
                name="privacy_plan_complete_has_time",
                condition=~models.Q(state="complete") | models.Q(completed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"


class ErasureItem(Entity):
    """What happened to one source: deleted, shredded, kept and why, in the person's language."""

    plan = models.ForeignKey(ErasurePlan, on_delete=models.CASCADE, related_name="items")
    label = models.CharField(max_length=100)
    deleted = models.PositiveIntegerField(default=0)
    shredded = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    title = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="privacy_item_once", fields=["plan", "label"]),
        ]

    def __str__(self) -> str:
        return self.label


class Receipt(Entity):
    """The signed receipt of an erasure; it names no person and can be checked offline."""

    plan = models.OneToOneField(ErasurePlan, on_delete=models.PROTECT, related_name="receipt")
    body = models.TextField()
    signature = models.BinaryField()
    key_id = models.BinaryField()
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"receipt {self.pk}"
