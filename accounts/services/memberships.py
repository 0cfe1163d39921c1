"""The one place that writes memberships: checks the ceiling, keeps the last administrator."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import queries
from accounts.audit_events import MEMBERSHIP_CHANGED, MEMBERSHIP_CREATED, MEMBERSHIP_ENDED
from accounts.errors import AboveCeiling, AlreadyMember, LastAdministrator
from accounts.models import Membership, Organisation, Role, RolePermission, User
from accounts.permissions import APPROVE_ORGANISATION
from accounts.services import notices, sessions
from accounts.types import MembershipSource, NoticeKind
from audit import services as audit
from foundation import clock
from foundation.errors import NotFound
from foundation.principals import ActorType, Principal

LEADING = ("administrator", "key_user")


def check_role(organisation: Organisation, role: Role, *, principal: Principal) -> None:
    """Let a role pass that the actor may hand out in the organisation.

    Staff who approve organisations hand out any role of another organisation, but at home no more
    than their own role allows: nobody makes himself administrator of the operator.
    The system itself (set-up, demo) is bound by the organisation's ceiling alone.

    Raises:
        AboveCeiling: the organisation or the actor may not hand out the role.
    """
    if role.code not in organisation.role_codes:
        raise AboveCeiling(_("This organisation cannot hand out this role."))
    if principal.kind == ActorType.SYSTEM:
        return
    is_own = principal.organisation_id == organisation.pk
    staff = principal.is_staff and principal.may(APPROVE_ORGANISATION)
    if staff and not organisation.is_operator:
        return
    allowed = queries.assignable_roles(organisation, principal.permissions)
    if not (is_own and allowed.filter(pk=role.pk).exists()):
        raise AboveCeiling(_("You cannot hand out this role."))


@transaction.atomic
def create(
    user: User,
    organisation: Organisation,
    role: Role,
    *,
    principal: Principal,
    source: MembershipSource = MembershipSource.MANUAL,
    granted_by: UUID | None = None,
) -> Membership:
    """Make a person a member with a role, valid from now on.

    Raises:
        AboveCeiling: the role may not be handed out there.
        AlreadyMember: the person is a member already.
    """
    if role.code not in organisation.role_codes:
        raise AboveCeiling(_("This organisation cannot hand out this role."))
    User.objects.select_for_update().get(pk=user.pk)
    if queries.is_member(user.pk, organisation.pk):
        raise AlreadyMember(_("This person is a member of the organisation already."))
    membership = Membership.objects.create(
        user=user, organisation=organisation, role=role, source=source, granted_by_id=granted_by
    )
    _follow(user, organisation)
    audit.introduce(user.subject_id, principal_id=user.pk)
    audit.record(
        MEMBERSHIP_CREATED,
        principal=principal,
        target=user,
        organisation=organisation.pk,
        details={"role": role.code, "source": source},
    )
    return membership


@transaction.atomic
def change_role(
    membership_id: UUID, role: Role, *, organisation_id: UUID, principal: Principal
) -> Membership:
    """Give a member of an organisation another role, which acts at the next request.

    Where it takes a permission away, all access ends that was gained with the old role: sessions
    and contributed tokens (identity.md 7).

    Raises:
        NotFound: no such membership there.
        AboveCeiling: the old or the new role is above what the actor may hand out.
        LastAdministrator: nobody would be left to rule the organisation.
    """
    membership = _locked(membership_id, organisation_id)
    old = membership.role
    if old.pk == role.pk:
        return membership
    check_role(membership.organisation, old, principal=principal)
    check_role(membership.organisation, role, principal=principal)
    _keep_last_leader(membership, leaving=role.code != old.code)
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record(
        MEMBERSHIP_CHANGED,
        principal=principal,
        target=membership.user,
        organisation=organisation_id,
        changes={"role": (old.code, role.code)},
    )
    notices.tell(membership.user, NoticeKind.ROLE_CHANGED)
    if _is_lowered(old, role):
        sessions.end_access(membership.user, "role_lowered", principal=principal)
    return membership


@transaction.atomic
def end(membership_id: UUID, *, organisation_id: UUID, principal: Principal) -> None:
    """End a membership now; at home, all access of the person ends with it.

    Raises:
        NotFound: no such membership there.
        AboveCeiling: the role is above what the actor may hand out.
        LastAdministrator: nobody would be left to rule the organisation.
    """
    membership = _locked(membership_id, organisation_id)
    check_role(membership.organisation, membership.role, principal=principal)
    _keep_last_leader(membership, leaving=True)
    membership.valid_until = max(clock.now(), membership.valid_from)
    membership.save(update_fields=["valid_until"])
    user = membership.user
    _follow(user, membership.organisation)
    audit.record(
        MEMBERSHIP_ENDED,
        principal=principal,
        target=user,
        organisation=organisation_id,
        details={"role": membership.role.code},
    )
    sessions.end_access(user, "membership_ended", principal=principal)


def _locked(membership_id: UUID, organisation_id: UUID) -> Membership:
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("organisation", "role", "user")
        .filter(queries.valid_now(), pk=membership_id, organisation_id=organisation_id)
        .first()
    )
    if membership is None:
        raise NotFound(_("There is no such membership."))
    return membership


def _is_lowered(old: Role, new: Role) -> bool:
    """Say whether somebody with the new role lacks a permission of the old one."""
    kept = RolePermission.objects.filter(role=new).values("code")
    return RolePermission.objects.filter(role=old).exclude(code__in=kept).exists()


def _keep_last_leader(membership: Membership, *, leaving: bool) -> None:
    """Refuse to leave an organisation without administrator, or without any who leads it."""
    code = membership.role.code
    if not leaving or code not in LEADING:
        return
    Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    leaders = Membership.objects.filter(
        queries.valid_now(),
        organisation_id=membership.organisation_id,
        role__code__in=("administrator",) if code == "administrator" else LEADING,
        user__is_active=True,
    ).exclude(pk=membership.pk)
    if not leaders.exists():
        raise LastAdministrator(
            _("This is the last person who rules the organisation. Name another one first.")
        )


def _follow(user: User, organisation: Organisation) -> None:
    """Keep home organisation and the mark of staff in step with the memberships."""
    fields = []
    if user.home_organisation_id is None:
        user.home_organisation = organisation
        fields.append("home_organisation")
    if organisation.is_operator:
        user.is_staff = queries.is_member(user.pk, organisation.pk)
        fields.append("is_staff")
    if fields:
        user.save(update_fields=fields)
