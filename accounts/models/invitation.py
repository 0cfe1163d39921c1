"""Invitations and other links that open once; the database holds only their hash."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.types import LinkPurpose
from foundation import clock
from foundation.models import Entity


class Invitation(Entity):
    """A single-use invitation to an organisation, sent to an address."""

    email = models.EmailField(_("e-mail address"), max_length=254)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="invitations"
    )
    role = models.ForeignKey("accounts.Role", on_delete=models.PROTECT, related_name="+")
    inviter = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    language = models.CharField(max_length=8, default="en")
    token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [models.Index(fields=["organisation", "created_at"])]

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    def is_open_at(self, moment: datetime) -> bool:
        """Say whether it can still be accepted."""
        unused = self.accepted_at is None and self.withdrawn_at is None
        return unused and moment < self.expires_at


class OneTimeLink(Entity):
    """A link that opens one thing once: the set-up page, or an enrolment to be finished."""

    purpose = models.CharField(max_length=16, choices=LinkPurpose.choices)
    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"one-time link {self.pk}"

    def is_open_at(self, moment: datetime) -> bool:
        """Say whether it still opens something."""
        return self.used_at is None and moment < self.expires_at
