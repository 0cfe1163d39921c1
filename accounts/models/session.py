"""The list of sessions a person can see and end, and the notices that are due to people."""

from django.db import models

from accounts.types import NoticeKind, SessionEnd
from foundation import clock
from foundation.models import Entity


class UserSession(Entity):
    """One session of one person; the key is the digest that the session table holds too."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    family = models.CharField(max_length=64, default="")
    platform = models.CharField(max_length=64, default="")
    net = models.CharField(max_length=64, default="")
    started_at = models.DateTimeField(default=clock.now, editable=False)
    last_seen_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=24, choices=SessionEnd.choices, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "ended_at", "last_seen_at"])]

    def __str__(self) -> str:
        return f"session {self.pk}"


class SecurityNotice(Entity):
    """A mail that is due: what happened to the account, sent by a worker."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=NoticeKind.choices)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(sent_at__isnull=True),
                name="accounts_notice_due",
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"
