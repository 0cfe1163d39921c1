"""State of the anomaly rules; it survives restarts of everything else (detection.md 2)."""

from django.db import models


class DetectionAttempt(models.Model):
    """One try to sign in, as the rules count it; kept 30 days."""

    event_id = models.UUIDField(primary_key=True)
    occurred_at = models.DateTimeField()
    account = models.CharField(max_length=64)
    subject_id = models.UUIDField(null=True)
    net = models.CharField(max_length=50, default="")
    asn = models.BigIntegerField(null=True)
    cc = models.CharField(max_length=2, default="")
    succeeded = models.BooleanField()
    browser = models.CharField(max_length=40, default="")

    class Meta:
        db_table = "detection_attempt"
        indexes = [
            models.Index(fields=["account", "occurred_at"], name="detection_attempt_account"),
            models.Index(fields=["net", "occurred_at"], name="detection_attempt_net"),
            models.Index(fields=["occurred_at"], name="detection_attempt_time"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.event_id}"
