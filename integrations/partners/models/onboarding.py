"""A partner's way in: its state, each step with evidence, and the rule of approval."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from encryption.fields import SealedEmailField, SealedTextField
from encryption.sealed import SealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation.identifiers import uuid7
from foundation.models import Entity
from integrations.partners.types import ApprovalKind, OnboardingState


class Onboarding(SealedMixin, Entity):
    """One partner's way from the first call to the live client.

    Until it is described there is no organisation, so the row stands outside the organisations'
    border; after that, queries compare its organisation.
    """

    state = models.CharField(
        max_length=24, choices=OnboardingState.choices, default=OnboardingState.STARTED
    )
    resumes_to = models.CharField(max_length=24, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    contact_subject_id = models.UUIDField(default=uuid7, editable=False)
    contact_email = SealedEmailField(
        label="partners.onboarding.contact_email",
        owner_kind=OwnerKind.SUBJECT,
        owner="contact_subject_id",
        blind_index=True,
    )
    contact_name = SealedTextField(
        label="partners.onboarding.contact_name",
        owner_kind=OwnerKind.SUBJECT,
        owner="contact_subject_id",
        null=True,
    )
    contact_user = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    language = models.CharField(max_length=8, default="en")
    email_domain = models.CharField(max_length=255)
    started_net = models.CharField(max_length=64, blank=True, default="")

    registration_hash = models.CharField(max_length=64, unique=True)
    registration_expires_at = models.DateTimeField()
    confirmation_hash = models.CharField(  # noqa: DJ001  unique, and most rows have none
        max_length=64, unique=True, null=True
    )
    confirmation_expires_at = models.DateTimeField(null=True)
    confirmation_sent_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)

    organisation_name = models.CharField(max_length=200, blank=True, default="")
    purpose = models.CharField(max_length=500, blank=True, default="")
    wanted_scopes = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    jwks = models.JSONField(default=dict, blank=True)
    organisation = models.OneToOneField(
        "accounts.Organisation", on_delete=models.PROTECT, null=True, related_name="onboarding"
    )
    sandbox_organisation = models.OneToOneField(
        "accounts.Organisation", on_delete=models.PROTECT, null=True, related_name="+"
    )

    decided_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=1000, blank=True, default="")
    decision_sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    warned_at = models.DateTimeField(null=True)

    objects: ClassVar[SealedManager["Onboarding"]] = SealedManager()

    class Meta:
        verbose_name = _("onboarding")
        verbose_name_plural = _("onboardings")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=OnboardingState.values), name="partners_onboarding_state"
            )
        ]
        indexes = [models.Index(fields=["state", "changed_at"])]

    def __str__(self) -> str:
        return self.organisation_name or str(self.id)


class OnboardingStep(Entity):
    """One change of state, with what it rests on. Rows are added and never changed.

    ``evidence`` holds digests, versions, domains and codes: nothing personal.
    """

    onboarding = models.ForeignKey(Onboarding, on_delete=models.PROTECT, related_name="steps")
    from_state = models.CharField(max_length=24, blank=True, choices=OnboardingState.choices)
    to_state = models.CharField(max_length=24, choices=OnboardingState.choices)
    at = models.DateTimeField()
    actor_type = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("onboarding step")
        verbose_name_plural = _("onboarding steps")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class ApprovalRule(Entity):
    """What leads to a live client, per plan; the rule of the empty plan is for all others."""

    plan = models.CharField(max_length=32, blank=True, default="", unique=True)
    kind = models.CharField(max_length=32, choices=ApprovalKind.choices)
    changed_at = models.DateTimeField()
    reason = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ApprovalKind.values), name="partners_approval_rule_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan or '*'}: {self.kind}"
