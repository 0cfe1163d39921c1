"""What is read of people and organisations; always for one person or one organisation."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import (
    Invitation,
    Membership,
    Organisation,
    Role,
    RolePermission,
    User,
    UserSession,
)
from accounts.permissions import MANAGE_ORGANISATION
from accounts.types import AssignableBy, OrganisationKind, OrganisationStatus
from foundation import clock
from foundation.access.permissions import permissions


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person is in one organisation now.

    Attributes:
        organisation: the organisation.
        roles: the roles of all memberships there that are valid now.
    """

    organisation: Organisation
    roles: tuple[Role, ...]


def valid_now(moment: datetime | None = None) -> Q:
    """Return the condition that a membership counts at a moment."""
    at = moment or clock.now()
    open_ended = Q(valid_until__isnull=True) | Q(valid_until__gt=at)
    return Q(valid_from__lte=at) & open_ended & Q(organisation__status=OrganisationStatus.ACTIVE)


def standings_of(user_id: UUID) -> tuple[Standing, ...]:
    """Return where a person is a member now, oldest membership first: one query."""
    memberships = (
        Membership.objects.filter(valid_now(), user_id=user_id)
        .select_related("organisation", "role")
        .order_by("created_at", "id")
    )
    found: dict[UUID, list[Membership]] = {}
    for membership in memberships:
        found.setdefault(membership.organisation_id, []).append(membership)
    return tuple(
        Standing(rows[0].organisation, tuple(row.role for row in rows)) for rows in found.values()
    )


def permission_codes(standing: Standing) -> frozenset[str]:
    """Return what the roles of a standing allow: one query.

    Codes that no app registers give nothing, nor do codes for staff outside the operator.
    """
    role_ids = [role.id for role in standing.roles]
    codes = RolePermission.objects.filter(role_id__in=role_ids).values_list("code", flat=True)
    return frozenset(code for code in codes if _counts(code, standing.organisation))


def members_of(organisation_id: UUID) -> QuerySet[Membership]:
    """Return the memberships of an organisation that have not ended."""
    return (
        Membership.objects.filter(organisation_id=organisation_id)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=clock.now()))
        .select_related("user", "role")
        .order_by("created_at", "id")
    )


def open_invitations_of(organisation_id: UUID) -> QuerySet[Invitation]:
    """Return the invitations of an organisation that can still be accepted."""
    return (
        Invitation.objects.filter(
            organisation_id=organisation_id,
            accepted_at__isnull=True,
            withdrawn_at__isnull=True,
            expires_at__gt=clock.now(),
        )
        .select_related("role")
        .order_by("-created_at", "id")
    )


def open_sessions_of(user_id: UUID) -> QuerySet[UserSession]:
    """Return the sessions of a person whose cookie still signs in, last used first."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=clock.now())
    return UserSession.objects.filter(
        Exists(alive), user_id=user_id, ended_at__isnull=True
    ).order_by("-last_seen_at", "id")


def assignable_roles(organisation: Organisation, codes: Collection[str]) -> QuerySet[Role]:
    """Return the roles that a holder of permissions may hand out in an organisation.

    Roles outside the organisation's ceiling are never among them (identity.md 1).
    """
    levels = [AssignableBy.KEY_USER]
    if MANAGE_ORGANISATION in codes:
        levels.append(AssignableBy.ADMINISTRATOR)
        if organisation.kind == OrganisationKind.OPERATOR:
            levels.append(AssignableBy.OPERATOR)
    return (
        Role.objects.filter(Q(organisation__isnull=True) | Q(organisation=organisation))
        .filter(code__in=organisation.role_codes, assignable_by__in=levels)
        .order_by("name", "id")
    )


def operator() -> Organisation | None:
    """Return the organisation that runs this installation, once it is set up."""
    return Organisation.objects.filter(kind=OrganisationKind.OPERATOR).first()


def has_administrator() -> bool:
    """Say whether somebody rules this installation who has finished the enrolment."""
    administrators = Membership.objects.filter(
        valid_now(), organisation__kind=OrganisationKind.OPERATOR, role__code="administrator"
    ).values("user_id")
    enrolled = Authenticator.objects.filter(
        user_id__in=administrators,
        user__is_active=True,
        type=Authenticator.Type.RECOVERY_CODES,
        data__has_key="confirmed_at",
    )
    return bool(enrolled.exists())


def user_by_email(email: str) -> User | None:
    """Return the person of an address."""
    return User.objects.filter(email=User.objects.normalize_email(email)).first()


def is_member(user_id: UUID, organisation_id: UUID) -> bool:
    """Say whether a person is a member of an organisation now."""
    return Membership.objects.filter(
        valid_now(), user_id=user_id, organisation_id=organisation_id
    ).exists()


def _counts(code: str, organisation: Organisation) -> bool:
    permission = permissions.find(code)
    return permission is not None and (organisation.is_operator or not permission.staff_only)
