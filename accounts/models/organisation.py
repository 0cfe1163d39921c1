"""Organisations, the border of all data, and the operator's teams."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.types import OrganisationKind, OrganisationStatus, SharingMode
from foundation import clock
from foundation.models import Entity


class Organisation(Entity):
    """A customer, a partner, or the operator."""

    kind = models.CharField(max_length=16, choices=OrganisationKind.choices)
    name = models.CharField(_("name"), max_length=200)
    sort_key = models.CharField(max_length=400, editable=False, default="")
    status = models.CharField(
        max_length=16, choices=OrganisationStatus.choices, default=OrganisationStatus.ACTIVE
    )
    plan = models.CharField(max_length=32, default="standard")
    ceiling = models.JSONField(default=dict, blank=True)
    sharing_default = models.CharField(
        max_length=16, choices=SharingMode.choices, default=SharingMode.OWN
    )
    team_in_charge = models.ForeignKey(
        "accounts.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(kind=OrganisationKind.OPERATOR),
                name="accounts_organisation_one_operator",
            ),
        ]
        indexes = [models.Index(fields=["sort_key", "id"])]

    def __str__(self) -> str:
        return self.name

    @property
    def is_operator(self) -> bool:
        """Whether it runs this installation."""
        return self.kind == OrganisationKind.OPERATOR

    @property
    def is_active(self) -> bool:
        """Whether its people and clients may work."""
        return self.status == OrganisationStatus.ACTIVE

    @property
    def role_codes(self) -> tuple[str, ...]:
        """Codes of the roles it may hand out."""
        return tuple(self.ceiling.get("roles", ()))


class Team(Entity):
    """Staff of the operator who are in charge of organisations together."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class TeamMember(Entity):
    """One member of staff in one team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="accounts_team_member_once"),
        ]

    def __str__(self) -> str:
        return f"team member {self.pk}"
