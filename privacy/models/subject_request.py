"""Subject requests: what a person asked for, its clock and its archive."""

from django.db import models

from foundation import clock
from foundation.models import Entity


class RequestKind(models.TextChoices):
    """Rights of articles 15 to 21 GDPR that a person can use alone."""

    ACCESS = "access"
    ERASURE = "erasure"


class RequestState(models.TextChoices):
    """States of a request; ``services.subject_requests`` holds the transitions."""

    RECEIVED = "received"
    OPEN = "open"
    READY = "ready"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


# A request in one of these states is still to be answered.
OPEN_STATES = (RequestState.RECEIVED, RequestState.OPEN, RequestState.READY)


class SubjectRequest(Entity):
    """One request of one person.

    It holds ids only and outlives the person's account, so no foreign key points to it.

    Attributes:
        enqueued_at: when a worker was last told of it; a sweep tells again what was forgotten.
        lease_until: until then it belongs to the worker that claimed it, on real time.
    """

    user_id = models.UUIDField(db_index=True)
    subject_id = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=20, choices=RequestKind)
    state = models.CharField(max_length=20, choices=RequestState, default=RequestState.RECEIVED)
    language = models.CharField(max_length=5, default="en")
    received_at = models.DateTimeField(default=clock.now)
    due_on = models.DateField()
    closed_at = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    done_steps = models.PositiveSmallIntegerField(default=0)
    total_steps = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("-received_at",)
        constraints = [
            models.UniqueConstraint(
                name="privacy_request_one_open",
                fields=["user_id", "kind"],
                condition=models.Q(state__in=["received", "open", "ready"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class RequestStep(Entity):
    """One change of state, kept as evidence of the clock."""

    request = models.ForeignKey(SubjectRequest, on_delete=models.CASCADE, related_name="steps")
    state = models.CharField(max_length=20, choices=RequestState)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.request_id} {self.state}"


class Archive(Entity):
    """The sealed ZIP of an access request, under a key of its own.

    Its key is destroyed after the download or after seven days.

    Attributes:
        told_at: when the person was told by mail that it can be fetched.
        key_destroyed_at: set last; a row without content and without it still owes its key.
    """

    request = models.OneToOneField(SubjectRequest, on_delete=models.CASCADE, related_name="archive")
    content = models.BinaryField(null=True)
    size_bytes = models.PositiveBigIntegerField()
    made_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    key_destroyed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"archive of {self.request_id}"
