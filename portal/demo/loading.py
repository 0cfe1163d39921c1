"""Loads the made-up organisations, people and records through the product's own services.

Loading is repeatable: what exists is kept, so a start that was killed half-way goes on. A person's
secrets are in the file before the person exists. Nothing is written to the tables directly; the
people are enrolled exactly as invited ones are.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from accounts import factors
from accounts.models import Organisation, Role, User
from accounts.principal import of_user
from accounts.services import invitations, organisations, signup
from accounts.types import OrganisationKind
from audit.alerts import channels
from foundation import clock, principals
from foundation.tenancy import organisation_scope
from portal.demo import people
from portal.demo.people import DemoPerson
from workspace.records.queries import visible_to
from workspace.records.services.writing import create_record
from workspace.records.types import Visibility

SYSTEM = principals.system("portal.load_demo")
OPERATOR, CUSTOMER, PARTNER = "Kestrel Demo Trading", "Acme Demo Retail", "Borealis Demo Logistics"

ORGANISATIONS = {
    OPERATOR: OrganisationKind.OPERATOR,
    CUSTOMER: OrganisationKind.CUSTOMER,
    PARTNER: OrganisationKind.PARTNER,
}


class SecretsLost(RuntimeError):
    """A made-up person exists whose secrets stand nowhere any more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A role in the play: who exists, and as what."""

    email: str
    name: str
    organisation: str
    role: str


PARTS = (
    Part("ada.administrator@kestrel.example", "Ada Administrator", OPERATOR, "administrator"),
    Part("carl.customer@acme.example", "Carl Customer", CUSTOMER, "customer"),
    Part("kim.keyuser@acme.example", "Kim Keyuser", CUSTOMER, "key_user"),
    Part("olga.organiser@acme.example", "Olga Organiser", CUSTOMER, "administrator"),
    Part("bo.partner@borealis.example", "Bo Partner", PARTNER, "key_user"),
)

RECORDS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "company",
        {
            "legal_name": "Acme Demo Retail Ltd",
            "country": "GB",
            "phone": "+44 20 7946 0018",
            "account_holder": "Acme Demo Retail Ltd",
            "iban": "GB33BUKB20201555555555",
        },
    ),
    ("device", {"name": "Label printer, gate 4", "serial_number": "DEMO-000417"}),
)


def load() -> list[DemoPerson]:
    """Make what is missing and return the people with their secrets.

    Raises:
        SecretsLost: the file of the secrets is gone, but not the database.
    """
    made = {name: _organisation(name, kind) for name, kind in ORGANISATIONS.items()}
    known = {person.email: person for person in people.load()}
    for part in PARTS:
        exists = User.objects.filter(email=part.email).exists()
        if part.email not in known:
            _refuse_lost(part, exists=exists)
            known[part.email] = _invented(part)
            people.save(list(known.values()))
        if not exists:
            _enrol(known[part.email], made[part.organisation])
    _records(User.objects.get(email="kim.keyuser@acme.example"), made[CUSTOMER])
    if not channels.operator_addresses():
        channels.set_addresses(["security@kestrel.example"], principal=SYSTEM)
    return list(known.values())


def _organisation(name: str, kind: OrganisationKind) -> Organisation:
    found = Organisation.objects.filter(name=name, kind=kind).first()
    return found or organisations.create(kind=kind, name=name, principal=SYSTEM)


def _refuse_lost(part: Part, *, exists: bool) -> None:
    if exists:
        raise SecretsLost(
            f"{part.email} exists, but {people.FILE} of the data folder does not know the "
            "passphrase: bring the file back or start with another folder (make run DATA=...)"
        )


def _invented(part: Part) -> DemoPerson:
    return DemoPerson(
        email=part.email,
        name=part.name,
        organisation=part.organisation,
        role=part.role,
        passphrase=people.new_passphrase(),
        totp_secret=people.new_totp_secret(),
    )


@transaction.atomic
def _enrol(person: DemoPerson, organisation: Organisation) -> None:
    """Invite and enrol one person in one transaction, so that nobody is left half made."""
    invitation = invitations.invite(
        email=person.email,
        organisation=organisation,
        role=Role.objects.get(code=person.role, is_system=True),
        principal=SYSTEM,
        by_mail=False,
    )
    user = signup.begin(
        invitation, passphrase=person.passphrase, display_name=person.name, language="en"
    )
    # The step before this one: a code works once, and the one shown now shall sign in.
    earlier = clock.now() - timedelta(seconds=people.STEP_SECONDS)
    code = people.current_code(person.totp_secret, at=earlier)
    signup.enrol_totp(user, secret=person.totp_secret, code=code)
    signup.confirm_recovery_codes(user, factors.make_recovery_codes(user.pk)[0])


def _records(owner: User, organisation: Organisation) -> None:
    principal = of_user(owner, wanted=organisation.pk)
    with organisation_scope(organisation.pk):
        if visible_to(principal).exists():
            return
        for kind, values in RECORDS:
            create_record(kind, values, principal=principal, visibility=Visibility.ORGANISATION)
