"""An organisation with one object of every kind that an address can name."""

from dataclasses import dataclass, field
from uuid import UUID

from accounts.models import (
    Invitation,
    Membership,
    Organisation,
    Role,
    RolePermission,
    Team,
    User,
    UserSession,
)
from accounts.services import invitations
from accounts.types import OrganisationKind
from audit.alerts.services import Occasion, raise_alert
from audit.anomaly.rules import Finding
from audit.events import Severity
from audit.models import AuditEvent
from encryption.models import KekEpoch, RootVersion, RotationRun
from encryption.rotation import runs
from encryption.router import KEYS
from encryption.types import GENERAL
from foundation import clock
from foundation.access.permissions import permissions
from foundation.identifiers import uuid7
from foundation.tenancy import organisation_scope
from integrations.partners.models import ApprovalRule
from integrations.partners.types import ApprovalKind
from integrations.vault import services as vault
from privacy.models import SubjectRequest
from privacy.services import subject_requests
from tests.factories import accounts, partners
from tests.factories import records as records_of
from tests.factories import vault as vault_of
from tests.factories.accounts import TEST, Browser
from tests.factories.partners import Partner
from workspace.records.types import Visibility

HOME = "Foreign Borealis"
OWNER = "Olga Foreign"
DEVICE = "Foreign packing line"
SECRET_FIELD = "unlock_code"
CREDENTIAL = "Foreign key"
ROLE = "Foreign role"


@dataclass(slots=True)
class World:
    """What lies in the organisation that others must not see.

    Attributes:
        partner: its onboarding and clients, which use secrets.
        token: registration token of a second onboarding, which is still on its way.
        open_onboarding: the second onboarding.
        owner: browser of somebody who may do everything in the organisation.
        secret: of its live client.
        ids: id by name of the argument in addresses.
        objects: primary key by model, as the admin names them.
    """

    partner: Partner
    token: str
    open_onboarding: UUID
    owner: Browser
    secret: str = ""
    ids: dict[str, object] = field(default_factory=dict)
    objects: dict[str, object] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Words that only somebody of the organisation may read."""
        return (HOME, OWNER, DEVICE, CREDENTIAL, ROLE, self.owner.user.email, "invited@foreign")


def mighty(of: Organisation, *, name: str) -> Browser:
    """Return the browser of a member who holds every permission that no staff is needed for."""
    role = Role.objects.create(code=f"all-{uuid7()}", name=ROLE, organisation=of)
    for permission in permissions:
        if not permission.staff_only:
            RolePermission.objects.create(role=role, code=permission.code)
    user = accounts.user(name=name)
    # Past the service, which would hand out only shipped roles: nobody is mightier than this.
    Membership.objects.create(user=user, organisation=of, role=role)
    return Browser().sign_in(user, of)


def made_world() -> World:
    """Return the organisation; it is a partner, so that it has clients too."""
    partner = partners.live()
    home = partner.organisation
    Organisation.objects.filter(pk=home.pk).update(name=HOME, sort_key=HOME.casefold())
    onboarding, token = partners.described(partners.key(), email="late@foreign.example")
    world = World(partner, token, onboarding.pk, mighty(home, name=OWNER))
    _fill_records(world)
    _fill_vault(world, home)
    _fill_people(world, home)
    _fill_clients(world)
    _fill_journal(world, home)
    world.objects |= _objects(world, home)
    return world


def outsider() -> Browser:
    """Return a member of another customer who may do everything there."""
    return mighty(accounts.organisation(OrganisationKind.CUSTOMER), name="Carol Castle")


def _fill_records(world: World) -> None:
    values = {"name": DEVICE, SECRET_FIELD: "planted-unlock-4711"}
    saved = records_of.record(
        world.owner.principal, kind="device", values=values, visibility=Visibility.ORGANISATION
    )
    world.ids |= {"record_id": saved.id, "field_code": SECRET_FIELD}


def _fill_vault(world: World, home: Organisation) -> None:
    owner = world.owner.principal
    credential = vault_of.credential(owner, name=CREDENTIAL)
    with organisation_scope(home.pk):
        result_id = vault.request_test(credential.pk, principal=owner)
    world.ids |= {"credential_id": credential.pk, "result_id": result_id}


def _fill_people(world: World, home: Organisation) -> None:
    owner = world.owner
    invitation = invitations.invite(
        email="invited@foreign.example",
        organisation=home,
        role=accounts.role("partner"),
        principal=TEST,
        by_mail=False,
    )
    second = accounts.member(home, "partner", name="Second Foreign")
    accounts.session_of(owner.user)
    session = UserSession.objects.filter(user=owner.user).latest("started_at")
    asked = subject_requests.receive_access(owner.user, principal=owner.principal)
    world.ids |= {
        "membership_id": accounts.membership_of(second).pk,
        "invitation_id": invitation.pk,
        "session_id": session.pk,
        "request_id": asked.pk,
    }


def _fill_clients(world: World) -> None:
    client = world.partner.client()
    world.secret = partners.secret_of(client, world.partner.person)
    secret = client.secrets.get()
    world.ids |= {
        "client_id": client.pk,
        "secret_id": secret.pk,
        "onboarding_id": world.open_onboarding,
    }


def _fill_journal(world: World, home: Organisation) -> None:
    entry = AuditEvent.objects.filter(organisation_id=home.pk, actor_sealed__isnull=False).last()
    assert entry is not None
    finding = Finding(
        rule="D01",
        severity=Severity.MEDIUM,
        dedupe_key=f"D01:{uuid7()}",
        subject_id=world.owner.user.subject_id,
        facts={"failures": 5, "minutes": 15, "networks": 1},
    )
    occasion = Occasion(entry.event_id, clock.real_now(), home.pk, "192.0.2.0/24")
    alert = raise_alert(finding, occasion=occasion)
    world.ids |= {"event_id": entry.event_id, "alert_id": alert.pk}


def _objects(world: World, home: Organisation) -> dict[str, object]:
    team = Team.objects.create(name="Foreign team")
    rule = ApprovalRule.objects.create(
        plan="foreign-plan", kind=ApprovalKind.STAFF_WITHOUT_CERTIFICATE, changed_at=clock.now()
    )
    membership = accounts.membership_of(world.owner.user)
    run = runs.start_epoch(GENERAL, by="world")
    epoch = KekEpoch.objects.using(KEYS).first()
    assert epoch is not None
    return {
        Role._meta.label_lower: membership.role_id,
        Organisation._meta.label_lower: home.pk,
        Membership._meta.label_lower: membership.pk,
        User._meta.label_lower: world.owner.user.pk,
        Invitation._meta.label_lower: world.ids["invitation_id"],
        Team._meta.label_lower: team.pk,
        SubjectRequest._meta.label_lower: world.ids["request_id"],
        "partners.onboarding": world.open_onboarding,
        "partners.partnerclient": world.ids["client_id"],
        ApprovalRule._meta.label_lower: rule.pk,
        RotationRun._meta.label_lower: run.pk,
        KekEpoch._meta.label_lower: epoch.pk,
        RootVersion._meta.label_lower: epoch.root_version_id,
    }
