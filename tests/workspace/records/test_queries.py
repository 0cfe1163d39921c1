"""The mode and role matrix: one function decides for lists, details, pages and the API."""

from uuid import UUID

import pytest

from foundation.clock import now
from foundation.principals import Principal, system
from foundation.tenancy import ScopeMissing, organisation_scope
from tests.factories import records as make
from workspace.records.errors import RecordNotFound
from workspace.records.models import RecordGrant, RecordGroupMember
from workspace.records.queries import visible_record, visible_to
from workspace.records.types import Visibility

OWN, CHOSEN = Visibility.OWN, Visibility.CHOSEN
ORGANISATION, CONFIDENTIAL = Visibility.ORGANISATION, Visibility.CONFIDENTIAL
VIEWERS = (
    "owner",
    "named",
    "member",
    "key_user",
    "administrator",
    "roleless",
    "client",
    "stranger",
    "system",
)
SEEN = {
    OWN: {"owner", "key_user", "administrator"},
    CHOSEN: {"owner", "named", "key_user", "administrator"},
    ORGANISATION: {"owner", "named", "member", "key_user", "administrator", "client"},
    CONFIDENTIAL: {"owner", "named"},
}


@pytest.fixture
def people() -> dict[str, Principal]:
    home = make.organisation()
    member = make.member(home)
    return {
        "owner": make.member(home),
        "named": make.member(home),
        "member": member,
        "key_user": make.member(home, role="key_user"),
        "administrator": make.member(home, role="administrator"),
        "roleless": make.without(make.member(home), "workspace.record.read"),
        "client": make.client(home),
        "stranger": make.member(make.organisation(), role="key_user"),
        "system": system("a task", organisation_id=home.pk),
    }


def name(record_id: UUID, person: Principal, mode: Visibility) -> None:
    organisation_id = make.organisation_of(person)
    place = {"organisation_id": organisation_id, "record_id": record_id, "user_id": person.id}
    with organisation_scope(organisation_id):
        if mode == CHOSEN:
            RecordGrant(**place).save()
        if mode == CONFIDENTIAL:
            RecordGroupMember(**place).save()


def sees(viewer: Principal, record_id: UUID) -> bool:
    with organisation_scope(make.organisation_of(viewer)):
        return visible_to(viewer).filter(pk=record_id).exists()


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("mode", list(Visibility))
def test_each_mode_shows_a_record_to_exactly_its_viewers(
    mode: Visibility, viewer: str, people: dict[str, Principal]
) -> None:
    record = make.record(people["owner"], visibility=mode)
    name(record.id, people["named"], mode)

    assert sees(people[viewer], record.id) is (viewer in SEEN[mode])


def test_a_principal_of_another_organisation_sees_nothing_inside_the_scope() -> None:
    owner = make.member(make.organisation())
    record = make.record(owner, visibility=ORGANISATION)
    stranger = make.member(make.organisation(), role="key_user")

    with organisation_scope(make.organisation_of(owner)), pytest.raises(RecordNotFound):
        visible_record(record.id, principal=stranger)


def test_a_grant_that_ended_shows_nothing(people: dict[str, Principal]) -> None:
    record = make.record(people["owner"], visibility=CHOSEN)
    name(record.id, people["named"], CHOSEN)
    assert sees(people["named"], record.id)

    with organisation_scope(make.organisation_of(people["owner"])):
        RecordGrant.objects.filter(record_id=record.id).update(ends_at=now())

    assert not sees(people["named"], record.id)


def test_a_client_sees_what_it_made_itself_and_no_other_clients_records() -> None:
    home = make.organisation()
    maker, other = make.client(home), make.client(home)
    record = make.record(maker)

    assert sees(maker, record.id)
    assert not sees(other, record.id)
    assert sees(make.member(home, role="key_user"), record.id)


def test_a_token_without_scope_sees_nothing() -> None:
    home = make.organisation()
    maker = make.client(home)
    record = make.record(maker)
    powerless = make.client(home, "webhooks:read")

    assert not sees(powerless, record.id)


def test_outside_of_a_scope_nothing_is_asked_at_all() -> None:
    with pytest.raises(ScopeMissing):
        visible_to(make.member(make.organisation()))
