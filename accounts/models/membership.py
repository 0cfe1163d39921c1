"""Memberships: the dated link between a person and an organisation."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.types import MembershipSource
from foundation import clock
from foundation.models import Entity


class Membership(Entity):
    """A user in an organisation with one role, from and until a time."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.ForeignKey("accounts.Role", on_delete=models.PROTECT, related_name="memberships")
    valid_from = models.DateTimeField(default=clock.now)
    valid_until = models.DateTimeField(null=True, blank=True)
    source = models.CharField(
        max_length=16, choices=MembershipSource.choices, default=MembershipSource.MANUAL
    )
    granted_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    break_glass = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "source"],
                condition=models.Q(valid_until__isnull=True),
                name="accounts_membership_once_open",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="accounts_membership_order",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "valid_until"])]

    def __str__(self) -> str:
        return f"membership {self.pk}"
