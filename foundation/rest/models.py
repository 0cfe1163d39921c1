"""What is remembered so that a repeated request is not carried out twice."""

from django.db import models

from foundation.models import Entity


class IdempotencyRecord(Entity):
    """One creating request of one client under one idempotency key, for 24 hours.

    Who and which key are kept as digests. The answer is thin (id, state, ETag) and holds nothing
    personal and no secret (integrations.md 1). The row belongs to no organisation: it is written
    before one is known.
    """

    owner_digest = models.BinaryField(max_length=32)
    key_digest = models.BinaryField(max_length=32)
    request_digest = models.BinaryField(max_length=32)
    claim = models.UUIDField()
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    answered_at = models.DateTimeField(null=True)
    answer_status = models.PositiveSmallIntegerField(null=True)
    answer_headers = models.JSONField(default=dict)
    answer_body = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner_digest", "key_digest"], name="rest_idempotency_once"
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at__isnull=True, answer_status__isnull=True)
                | models.Q(answered_at__isnull=False, answer_status__isnull=False),
                name="rest_idempotency_answered",
            ),
        ]

    def __str__(self) -> str:
        return f"idempotency record {self.pk}"
