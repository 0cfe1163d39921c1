"""Objects of records: organisations with people who act, and records they make."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from uuid import UUID

from accounts.models import Membership, Organisation, Role, User
from accounts.principal import of_user
from accounts.types import OrganisationKind
from foundation.identifiers import uuid7
from foundation.principals import ActorType, Principal
from foundation.tenancy import organisation_scope
from workspace.records.services import Saved, create_record
from workspace.records.types import Visibility

IBAN = "DE89370400440532013000"
OTHER_IBAN = "FR1420041010050500013M02606"
PHONE = "+49 30 1234567"

CONTACT = {"name": "Anna Kowalska", "email": "anna@example.org", "phone": PHONE}
COMPANY = {
    "legal_name": "Muster GmbH",
    "country": "DE",
    "account_holder": "Muster Holding",
    "iban": IBAN,
    "phone": PHONE,
}
DEVICE = {"name": "Packing line 2", "unlock_code": "planted-unlock-4711"}

_numbers = count(1)


def organisation(kind: str = OrganisationKind.CUSTOMER) -> Organisation:
    """Return a saved organisation."""
    name = f"Organisation {next(_numbers)}"
    return Organisation.objects.create(kind=kind, name=name, sort_key=name.casefold())


def member(of: Organisation, *, role: str = "customer") -> Principal:
    """Return a person who acts in an organisation with one of the shipped roles."""
    number = next(_numbers)
    user = User(email=f"member{number}@records.example", display_name=f"Person {number}")
    user.set_unusable_password()
    user.save()
    found = Role.objects.get(code=role, is_system=True)
    Membership.objects.create(user=user, organisation=of, role=found)
    return of_user(user, wanted=of.pk)


def member_of(organisation_id: UUID, *, role: str = "customer") -> Principal:
    """Return a person of an organisation that is known by its id."""
    return member(Organisation.objects.get(pk=organisation_id), role=role)


def client(of: Organisation, *scopes: str) -> Principal:
    """Return a partner client of an organisation, as a token makes it."""
    return Principal(
        kind=ActorType.INTEGRATION,
        id=uuid7(),
        organisation_id=of.pk,
        scopes=frozenset(scopes or ("records:read", "records:write")),
        label="a client",
    )


def without(principal: Principal, *permissions: str) -> Principal:
    """Return the same person without some permissions."""
    return replace(principal, permissions=principal.permissions - set(permissions))


def record(
    owner: Principal,
    *,
    kind: str = "company",
    values: Mapping[str, str] | None = None,
    visibility: Visibility = Visibility.OWN,
) -> Saved:
    """Return a saved record of an organisation."""
    shipped = {"contact": CONTACT, "company": COMPANY, "device": DEVICE}
    with organisation_scope(organisation_of(owner)):
        return create_record(kind, values or shipped[kind], principal=owner, visibility=visibility)


def organisation_of(principal: Principal) -> UUID:
    """Return the organisation a principal acts in."""
    if principal.organisation_id is None:
        raise ValueError("the principal has no organisation")
    return principal.organisation_id
