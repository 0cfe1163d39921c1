"""Roles: named sets of permissions, with every version kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from accounts.types import AssignableBy
from foundation import clock
from foundation.models import Entity

SHIPPED_NAMES: dict[str, StrOrPromise] = {
    "customer": _("Customer"),
    "key_user": _("Key user"),
    "partner": _("Partner"),
    "administrator": _("Administrator"),
    "data_protection_officer": _("Data protection officer"),
    "security_officer": _("Security officer"),
}


class Role(Entity):
    """A named set of permission codes.

    ``organisation`` is null for the roles of the operator, which all shipped ones are.
    """

    code = models.SlugField(max_length=64)
    name = models.CharField(_("name"), max_length=120)
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="roles",
    )
    assignable_by = models.CharField(
        max_length=16, choices=AssignableBy.choices, default=AssignableBy.ADMINISTRATOR
    )
    needs_mfa = models.BooleanField(default=True)
    is_system = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "code"],
                name="accounts_role_code",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def title(self) -> StrOrPromise:
        """Name in the reader's language where the role is shipped."""
        return SHIPPED_NAMES.get(self.code, self.name) if self.is_system else self.name


class RolePermission(Entity):
    """One permission code of a role."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="permissions")
    code = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["role", "code"], name="accounts_role_permission_once"),
        ]

    def __str__(self) -> str:
        return self.code


class RoleVersion(Entity):
    """What a role held from one change to the next; the reason stands in the journal entry."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    codes = models.JSONField(default=list)
    changed_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["role", "number"], name="accounts_role_version_number"),
        ]

    def __str__(self) -> str:
        return f"{self.role_id} v{self.number}"
