"""What roles may do: changed by staff, with a reason, every version kept."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.audit_events import ROLE_CHANGED
from accounts.errors import AboveCeiling
from accounts.models import Role, RolePermission, RoleVersion
from accounts.permissions import MANAGE_ROLES
from audit import services as audit
from foundation.access.permissions import permissions
from foundation.errors import FieldError, Invalid
from foundation.principals import Principal


@transaction.atomic
def change_permissions(
    role_id: UUID, codes: Collection[str], *, reason: str, principal: Principal
) -> Role:
    """Give a role exactly these permissions, which act at the next request of its holders.

    Args:
        role_id: the role.
        codes: codes of the permission registry.
        reason: why, in the actor's words; it stands in the journal.
        principal: who changes it.

    Raises:
        AboveCeiling: the actor may not change roles, or would take his own right to do so.
        Invalid: a code that no app registers, or no reason.
    """
    if not (principal.is_staff and principal.may(MANAGE_ROLES)):
        raise AboveCeiling(_("You cannot change roles."))
    _check(codes, reason)
    role = Role.objects.select_for_update().get(pk=role_id)
    held = set(RolePermission.objects.filter(role=role).values_list("code", flat=True))
    wanted = set(codes)
    if held == wanted:
        return role
    if role.code == "administrator" and MANAGE_ROLES not in wanted:
        raise AboveCeiling(_("The role Administrator must keep the right to change roles."))
    number = _write(role, held, wanted, principal)
    audit.record(
        ROLE_CHANGED,
        principal=principal,
        target=role,
        organisation=principal.organisation_id,
        reason=reason,
        details={
            "role": role.code,
            "gained": sorted(wanted - held),
            "lost": sorted(held - wanted),
            "version": number,
        },
    )
    return role


def _check(codes: Collection[str], reason: str) -> None:
    unknown = sorted(code for code in codes if code not in permissions)
    if unknown:
        raise Invalid(
            _("There is no such permission."),
            errors=(FieldError("/codes", "unknown_permission", _("Choose from the list.")),),
        )
    if not reason.strip():
        raise Invalid(
            _("Say why."),
            errors=(FieldError("/reason", "required", _("Say why the role changes.")),),
        )


def _write(role: Role, held: set[str], wanted: set[str], principal: Principal) -> int:
    last = role.versions.aggregate(last=Max("number"))["last"]
    if last is None:
        last = 1
        RoleVersion.objects.create(role=role, number=1, codes=sorted(held))
    RolePermission.objects.filter(role=role, code__in=held - wanted).delete()
    RolePermission.objects.bulk_create(
        RolePermission(role=role, code=code) for code in sorted(wanted - held)
    )
    RoleVersion.objects.create(
        role=role, number=last + 1, codes=sorted(wanted), changed_by_id=principal.id
    )
    return int(last) + 1
