"""Alerts, the channels they go to, and the outbox of their deliveries (detection.md 7)."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from audit.events import Severity
from foundation.models import Entity


class AlertState(models.TextChoices):
    """Steps of a case."""

    NEW = "new", _("new")
    ASSIGNED = "assigned", _("assigned")
    CLOSED = "closed", _("closed")


class Verdict(models.TextChoices):
    """What a case turned out to be."""

    NONE = "", _("none yet")
    TRUE = "true", _("a real attack")
    FALSE = "false", _("a false alarm")
    EXPECTED = "expected", _("expected")


class ChannelKind(models.TextChoices):
    """Ways an alert can go."""

    EMAIL = "email", _("e-mail")


class DeliveryState(models.TextChoices):
    """State of one delivery."""

    DUE = "due", _("waiting")
    SENT = "sent", _("sent")
    DEAD = "dead", _("given up")


class Alert(Entity):
    """What a rule raised; a case while people work on it."""

    rule = models.CharField(max_length=60)
    severity = models.PositiveSmallIntegerField(
        choices=[(level.value, level.name.lower()) for level in Severity]
    )
    state = models.CharField(max_length=10, choices=AlertState.choices, default=AlertState.NEW)
    dedupe_key = models.CharField(max_length=120)
    count = models.PositiveIntegerField(default=1)
    organisation_id = models.UUIDField(null=True, editable=False)
    subject_id = models.UUIDField(null=True, editable=False)
    net = models.CharField(max_length=50, default="")
    facts = models.JSONField(default=dict)
    first_event_id = models.UUIDField()
    last_event_id = models.UUIDField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    raised_at = models.DateTimeField(db_default=Now(), editable=False)
    assigned_to = models.UUIDField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, default="", blank=True)
    closing_reason = models.CharField(max_length=500, default="", blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alert"
        indexes = [
            models.Index(fields=["dedupe_key", "last_at"], name="alert_dedupe"),
            models.Index(fields=["organisation_id", "-id"], name="alert_organisation"),
        ]
        constraints = [
            models.CheckConstraint(
                name="alert_closed_with_verdict_and_reason",
                condition=~models.Q(state="closed")
                | (~models.Q(verdict="") & ~models.Q(closing_reason="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.id}"


class AlertChannel(Entity):
    """Where alerts go; without an organisation it is the operator's own."""

    kind = models.CharField(max_length=10, choices=ChannelKind.choices, default=ChannelKind.EMAIL)
    name = models.CharField(max_length=80)
    organisation_id = models.UUIDField(null=True, editable=False)
    destination_sealed = models.TextField()
    language = models.CharField(max_length=5, default="en")
    lowest_severity = models.PositiveSmallIntegerField(default=Severity.MEDIUM)
    enabled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alert_channel"

    def __str__(self) -> str:
        return self.name


class AlertDelivery(Entity):
    """One alert to one channel or person: the outbox. Attempts are counted here."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(
        AlertChannel, on_delete=models.PROTECT, null=True, related_name="deliveries"
    )
    recipient = models.UUIDField(null=True, editable=False)
    state = models.CharField(max_length=5, choices=DeliveryState.choices, default=DeliveryState.DUE)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    enqueued_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, default="")
    idempotency_key = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alert_delivery"
        indexes = [
            models.Index(
                fields=["next_at"], name="alert_delivery_due", condition=models.Q(state="due")
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="alert_delivery_goes_somewhere",
                condition=models.Q(channel__isnull=False) ^ models.Q(recipient__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"delivery {self.id}"
