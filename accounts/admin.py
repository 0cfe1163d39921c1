"""Staff pages: organisations, memberships, roles; people and invitations to look at only."""

from typing import ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, Membership, Organisation, Role, RoleVersion, User
from accounts.permissions import (
    APPROVE_ORGANISATION,
    MANAGE_ROLES,
    READ_USERS,
)
from accounts.services import invitations, organisations, roles
from accounts.types import OrganisationStatus
from foundation.access.guards import principal_of
from foundation.access.model_admin import GuardedModelAdmin
from foundation.access.permissions import permissions


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """What a role may do, in words, and why it changes."""

    codes = forms.MultipleChoiceField(
        label=_("Permissions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Take effect at the next request of everybody with this role."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Why the role changes. It stands in the journal; name no person."),
    )

    class Meta:
        model = Role
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own signature
        codes = self.fields["codes"]
        codes.choices = _matrix()  # type: ignore[attr-defined]  # a MultipleChoiceField
        if self.instance.pk:
            held = self.instance.permissions.values_list("code", flat=True)
            self.initial["codes"] = list(held)


class RoleVersionInline(admin.StackedInline[RoleVersion, Role]):
    """Earlier versions of a role."""

    model = RoleVersion
    fk_name = "role"
    extra = 0
    can_delete = False
    fields = ("number", "changed_at", "changed_by", "codes")
    readonly_fields = fields
    ordering = ("-number",)

    def has_view_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:  # noqa: ARG002
        """Show versions to those who may change roles."""
        principal = principal_of(request)
        return principal.is_staff and principal.may(MANAGE_ROLES)

    def has_add_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:  # noqa: ARG002
        """Versions are written by the service alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:  # noqa: ARG002
        """Versions never change."""
        return False


@admin.register(Role)
class RoleAdmin(GuardedModelAdmin[Role]):
    """Roles: permissions as check boxes in words, a reason, every version kept."""

    view_permission = READ_USERS
    change_permission = MANAGE_ROLES
    form = RoleForm
    list_display = ("title_text", "code", "organisation", "is_system")
    list_filter = ("is_system",)
    ordering = ("name",)
    readonly_fields = ("name", "code", "organisation", "assignable_by", "is_system")
    fields = (*readonly_fields, "codes", "reason")
    inlines = (RoleVersionInline,)

    @admin.display(description=_("role"), ordering="name")
    def title_text(self, role: Role) -> str:
        """Return the role's name in the reader's language."""
        return str(role.title)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        """Read organisations along."""
        return super().get_queryset(request).select_related("organisation")

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        """Leave the form out for those who may only look."""
        return self.fields if self.has_change_permission(request, obj) else self.readonly_fields

    def save_model(
        self,
        request: HttpRequest,
        obj: Role,
        form: ModelForm[Role],
        change: bool,  # noqa: ARG002, FBT001  Django's signature
    ) -> None:
        """Let the service write."""
        roles.change_permissions(
            obj.pk,
            form.cleaned_data["codes"],
            reason=form.cleaned_data["reason"],
            principal=principal_of(request),
        )


class OrganisationForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and status of an organisation; its kind only while it is made."""

    class Meta:
        model = Organisation
        fields: ClassVar[list[str]] = ["kind", "name", "status"]


@admin.register(Organisation)
class OrganisationAdmin(GuardedModelAdmin[Organisation]):
    """Organisations: made, renamed, suspended."""

    view_permission = READ_USERS
    change_permission = APPROVE_ORGANISATION
    may_add = True
    form = OrganisationForm
    list_display = ("name", "kind", "status", "plan", "created_at")
    list_filter = ("kind", "status")
    search_fields = ("name",)
    ordering = ("sort_key",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Organisation | None = None
    ) -> tuple[str, ...]:
        """Keep the kind of an organisation that exists."""
        del request
        return () if obj is None else ("kind",)

    def save_model(
        self,
        request: HttpRequest,
        obj: Organisation,
        form: ModelForm[Organisation],
        change: bool,  # noqa: FBT001  Django's signature
    ) -> None:
        """Let the service write."""
        principal = principal_of(request)
        status = OrganisationStatus(form.cleaned_data["status"])
        name = form.cleaned_data["name"]
        if change:
            organisations.change(obj.pk, name=name, status=status, principal=principal)
            return
        made = organisations.create(
            kind=form.cleaned_data["kind"], name=name, status=status, principal=principal
        )
        obj.pk = made.pk
        obj._state.adding = False  # noqa: SLF001  the row exists: Django would insert it again


@admin.register(Membership)
class MembershipAdmin(GuardedModelAdmin[Membership]):
    """Memberships, to look at: they change on the members page of the organisation."""

    view_permission = READ_USERS
    list_display = ("user_email", "organisation", "role", "valid_from", "valid_until", "source")
    list_filter = ("source", "role")
    list_select_related = ("user", "organisation", "role")
    search_fields = ("user__email", "organisation__name")

    @admin.display(description=_("e-mail address"), ordering="user__email")
    def user_email(self, membership: Membership) -> str:
        """Return the address of the member."""
        return membership.user.email


@admin.register(User)
class UserAdmin(GuardedModelAdmin[User]):
    """People, to look at; the sealed name is never revealed here."""

    view_permission = READ_USERS
    list_display = ("email", "home_organisation", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff")
    list_select_related = ("home_organisation",)
    search_fields = ("email",)
    ordering = ("email",)
    fields = (
        "email",
        "subject_id",
        "home_organisation",
        "language",
        "is_active",
        "is_staff",
        "frozen_at",
        "security_epoch",
        "last_login",
        "created_at",
    )


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    """Whom to invite to which organisation, and as what."""

    language = forms.ChoiceField(label=_("Language of the mail"), choices=settings.LANGUAGES)

    class Meta:
        model = Invitation
        fields: ClassVar[list[str]] = ["email", "organisation", "role"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own signature
        if "role" in self.fields:
            roles_of_all = Role.objects.filter(is_system=True).order_by("name")
            self.fields["role"].queryset = roles_of_all  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        """Refuse a role that the organisation cannot hand out, beside the field."""
        cleaned = super().clean() or {}
        organisation, role = cleaned.get("organisation"), cleaned.get("role")
        if organisation and role and role.code not in organisation.role_codes:
            self.add_error("role", _("This organisation cannot hand out this role."))
        return cleaned


@admin.register(Invitation)
class InvitationAdmin(GuardedModelAdmin[Invitation]):
    """Invitations: staff invite the first member of an organisation; the rest is to look at."""

    view_permission = READ_USERS
    add_permission: ClassVar[str] = APPROVE_ORGANISATION
    form = InvitationForm
    list_display = ("email", "organisation", "role", "created_at", "expires_at", "accepted_at")
    list_select_related = ("organisation", "role")
    search_fields = ("email", "organisation__name")
    fields = (
        "email",
        "organisation",
        "role",
        "created_at",
        "expires_at",
        "sent_at",
        "accepted_at",
        "withdrawn_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those invite who may approve organisations."""
        principal = principal_of(request)
        return principal.is_staff and principal.may(self.add_permission)

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        """Ask only what an invitation needs."""
        del request
        return ("email", "organisation", "role", "language") if obj is None else self.fields

    def save_model(
        self,
        request: HttpRequest,
        obj: Invitation,
        form: ModelForm[Invitation],
        change: bool,  # noqa: ARG002, FBT001  Django's signature
    ) -> None:
        """Let the service write and mail."""
        made = invitations.invite(
            email=form.cleaned_data["email"],
            organisation=form.cleaned_data["organisation"],
            role=form.cleaned_data["role"],
            language=form.cleaned_data["language"],
            principal=principal_of(request),
        )
        obj.pk = made.pk
        obj._state.adding = False  # noqa: SLF001  the row exists: Django would insert it again


def _matrix() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the registered permissions in words, grouped by app."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for permission in sorted(permissions, key=lambda found: found.code):
        marks = [str(_("high"))] if permission.high else []
        marks += [str(_("operator only"))] if permission.staff_only else []
        words = " · ".join([str(permission.label), *marks]) + f" ({permission.code})"
        groups.setdefault(permission.code.partition(".")[0].capitalize(), []).append(
            (permission.code, words)
        )
    return list(groups.items())
