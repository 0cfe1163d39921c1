"""Two organisations with any number of rows in everything that pages and lists show."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from accounts.models import (
    Membership,
    Organisation,
    Role,
    RolePermission,
    RoleVersion,
    Team,
    TeamMember,
)
from accounts.services import invitations
from accounts.types import OrganisationKind
from audit.alerts.services import Occasion, raise_alert
from audit.anomaly.rules import Finding
from audit.events import Severity
from audit.models import AuditEvent
from foundation import clock
from foundation.access.permissions import permissions
from foundation.identifiers import uuid7
from foundation.tenancy import organisation_scope
from integrations.partners.models import ApprovalRule
from integrations.partners.types import ApprovalKind
from integrations.vault import services as vault
from integrations.vault.models import Credential
from privacy.models import SubjectRequest
from privacy.models.subject_request import RequestKind, RequestState
from tests.factories import accounts, partners
from tests.factories import records as records_of
from tests.factories import vault as vault_of
from tests.factories.accounts import TEST, Browser
from tests.factories.partners import Partner
from workspace.records.models import Record
from workspace.records.services import change_record
from workspace.records.types import Visibility

KINDS = ("company", "contact", "device")


@dataclass(slots=True)
class Filled:
    """What pages are asked with.

    Attributes:
        partner: its onboarding and clients.
        token: access token of its live client.
        registration_token: token of another onboarding, which is still on its way.
        people: one of the operator's staff and one of the partner, each with every permission.
        ids: id by name of the argument in addresses.
        api_ids: the same for addresses of the API, where a client sees other rows than a person.
        rows: how many rows each list has by now.
    """

    partner: Partner
    token: str
    registration_token: str
    people: tuple[Browser, Browser]
    ids: dict[str, object] = field(default_factory=dict)
    api_ids: dict[str, object] = field(default_factory=dict)
    rows: int = 0


def filled() -> Filled:
    """Return both organisations with what addresses name, and no further rows."""
    signing = partners.key()
    partner = partners.live(signing)
    token = partners.access_token(partner.client(), signing)
    staff = _mighty(accounts.organisation(OrganisationKind.OPERATOR), name="Ada Adler")
    member = _mighty(partner.organisation, name="Olga Owner")
    begun, registration_token = partners.confirmed("late@example.test")
    place = Filled(partner, token, registration_token, (staff, member))
    place.ids |= {"kind_code": "device", "field_code": "unlock_code", "app": "records"}
    place.ids |= {"page": "list", "code": "invalid", "client_id": partner.client().pk}
    place.api_ids |= {"onboarding_id": begun.pk}
    _add_main_objects(place, member)
    return place


def add_rows(place: Filled, number: int) -> None:
    """Add so many rows to every list, and so many children to what has a page."""
    for _row in range(number):
        place.rows += 1
        for browser in place.people:
            _add_people(browser)
            _add_records(place, browser)
        _add_of_client(place)
        _add_versions(place)
        _add_journal(place)
        _add_for_staff(place)


def _mighty(of: Organisation, *, name: str) -> Browser:
    role = Role.objects.create(code=f"all-{uuid7()}", name="All", organisation=of)
    for permission in permissions:
        RolePermission.objects.create(role=role, code=permission.code)
    user = accounts.user(name=name)
    # Past the service, which hands out only shipped roles: nobody sees more than this person.
    Membership.objects.create(user=user, organisation=of, role=role)
    return Browser().sign_in(user, of)


def _add_main_objects(place: Filled, owner: Browser) -> None:
    principal = owner.principal
    saved = records_of.record(principal, kind="device")
    credential = vault_of.credential(principal, name="Main key")
    with organisation_scope(owner.organisation.pk):
        result_id = vault.request_test(credential.pk, principal=principal)
    place.ids |= {"record_id": saved.id, "credential_id": credential.pk, "result_id": result_id}
    place.ids |= {"request_id": _request(owner)}


def _add_people(browser: Browser) -> None:
    home, code = browser.organisation, "customer"
    if home.kind == OrganisationKind.PARTNER:
        code = "partner"
    elif home.kind == OrganisationKind.OPERATOR:
        code = "security_officer"
    accounts.member(home, code, name="One More")
    invitations.invite(
        email=f"{uuid7()}@example.test",
        organisation=home,
        role=accounts.role(code),
        principal=TEST,
        by_mail=False,
    )
    accounts.session_of(browser.user)
    _request(browser)


def _request(browser: Browser) -> object:
    request = SubjectRequest.objects.create(
        user_id=browser.user.pk,
        subject_id=browser.user.subject_id,
        kind=RequestKind.ACCESS,
        state=RequestState.CLOSED,
        due_on=clock.now().date() + timedelta(days=30),
    )
    return request.pk


def _add_records(place: Filled, browser: Browser) -> None:
    principal = browser.principal
    kind = KINDS[place.rows % len(KINDS)]
    records_of.record(principal, kind=kind, visibility=Visibility.ORGANISATION)
    vault_of.credential(principal, name=f"Key {place.rows}")


def _add_of_client(place: Filled) -> None:
    home = place.partner.organisation
    client = replace(records_of.client(home), id=place.partner.client().pk)
    place.api_ids |= {"record_id": records_of.record(client).id}


def _add_versions(place: Filled) -> None:
    owner = place.people[1]
    with organisation_scope(owner.organisation.pk):
        record = Record.objects.get(pk=str(place.ids["record_id"]))
        change_record(
            record.pk,
            {"name": f"Line {place.rows}"},
            principal=owner.principal,
            expected_version=record.version,
        )
        credential = Credential.objects.get(pk=str(place.ids["credential_id"]))
        vault.store_version(
            credential.pk,
            header=vault_of.HEADER,
            key=f"{vault_of.KEY}{place.rows}",
            replaces=credential.version,
            principal=owner.principal,
        )


def _add_journal(place: Filled) -> None:
    staff, member = place.people
    entry = AuditEvent.objects.filter(organisation_id=member.organisation.pk).last()
    assert entry is not None
    finding = Finding(
        rule="D01",
        severity=Severity.MEDIUM,
        dedupe_key=f"D01:{uuid7()}",
        subject_id=accounts.user().subject_id,
        facts={"failures": 5, "minutes": 15, "networks": 1},
    )
    occasion = Occasion(entry.event_id, clock.real_now(), staff.organisation.pk, "192.0.2.0/24")
    alert = raise_alert(finding, occasion=occasion)
    place.ids |= {"event_id": entry.event_id, "alert_id": alert.pk}


def _add_for_staff(place: Filled) -> None:
    staff, _member = place.people
    team = Team.objects.create(name=f"Team {place.rows}")
    TeamMember.objects.create(team=team, user=staff.user)
    role = Role.objects.create(code=f"r-{uuid7()}", name="Own", organisation=staff.organisation)
    RoleVersion.objects.create(role=role, number=1, codes=[])
    ApprovalRule.objects.create(
        plan=f"plan-{place.rows}",
        kind=ApprovalKind.STAFF_WITHOUT_CERTIFICATE,
        changed_at=clock.now(),
    )
    partners.live(partners.key(), email=f"dev{place.rows}@example.test")
