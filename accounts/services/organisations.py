"""Organisations: made by set-up, by staff, or by a partner's onboarding."""

import unicodedata
from uuid import UUID

from django.db import transaction

from accounts.audit_events import ORGANISATION_CHANGED, ORGANISATION_CREATED
from accounts.models import Organisation
from accounts.types import OrganisationKind, OrganisationStatus
from audit import services as audit
from foundation.principals import Principal

CEILINGS: dict[str, tuple[str, ...]] = {
    OrganisationKind.OPERATOR: ("administrator", "data_protection_officer", "security_officer"),
    OrganisationKind.CUSTOMER: ("customer", "key_user", "administrator"),
    OrganisationKind.PARTNER: ("partner", "key_user", "administrator"),
}


@transaction.atomic
def create(
    *,
    kind: OrganisationKind,
    name: str,
    principal: Principal,
    status: OrganisationStatus = OrganisationStatus.ACTIVE,
) -> Organisation:
    """Make an organisation with the ceiling of its kind."""
    organisation = Organisation.objects.create(
        kind=kind,
        name=name.strip(),
        sort_key=sort_key(name),
        status=status,
        ceiling={"roles": list(CEILINGS[kind]), "permissions": []},
    )
    audit.record(
        ORGANISATION_CREATED,
        principal=principal,
        target=organisation,
        organisation=organisation.pk,
        details={"kind": kind},
    )
    return organisation


@transaction.atomic
def change(
    organisation_id: UUID, *, name: str, status: OrganisationStatus, principal: Principal
) -> Organisation:
    """Rename, suspend or open an organisation; suspension acts at the next request."""
    organisation = Organisation.objects.select_for_update().get(pk=organisation_id)
    before = audit.snapshot(organisation)
    organisation.name = name.strip()
    organisation.sort_key = sort_key(name)
    organisation.status = status
    organisation.save(update_fields=["name", "sort_key", "status"])
    audit.record(
        ORGANISATION_CHANGED,
        principal=principal,
        target=organisation,
        organisation=organisation.pk,
        changes=audit.diff(before, organisation),
    )
    return organisation


def sort_key(name: str) -> str:
    """Return what names are sorted by: the database sorts by code point (runtime.md 10)."""
    plain = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))[:400]
