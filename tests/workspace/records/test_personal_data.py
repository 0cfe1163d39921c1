"""What records do for a person's export and erasure."""

import pytest

from accounts.models import User
from foundation.contracts.personal_data import DataSubject, personal_data
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from tests.factories import records as make
from workspace.records.models import Record, RecordGrant, RecordGroupMember
from workspace.records.types import Visibility


@pytest.fixture
def home() -> tuple[Principal, Principal]:
    """Return the owner of a record and a colleague it is shared with."""
    of = make.organisation()
    return make.member(of), make.member(of)


def subject_of(principal: Principal) -> DataSubject:
    user = User.objects.get(pk=str(principal.id))
    return DataSubject(
        user_id=user.pk,
        subject_id=user.subject_id,
        email=user.email,
        organisation_ids=(make.organisation_of(principal),),
    )


def exported(label: str, principal: Principal) -> list[dict[str, object]]:
    handlers = personal_data.get(label).handlers
    assert handlers is not None
    return [dict(row) for section in handlers.export(subject_of(principal)) for row in section.rows]


def test_an_export_holds_ones_own_records_and_nobody_elses(
    home: tuple[Principal, Principal],
) -> None:
    owner, colleague = home
    make.record(owner, visibility=Visibility.ORGANISATION)
    make.record(colleague, values={"legal_name": "Foreign GmbH"})

    rows = exported("records.record", owner)

    assert [row["legal_name"] for row in rows] == ["Muster GmbH"]
    assert rows[0]["iban"] == make.IBAN


def test_an_erasure_takes_the_name_and_leaves_the_record(
    home: tuple[Principal, Principal],
) -> None:
    owner, _colleague = home
    saved = make.record(owner)
    handlers = personal_data.get("records.record").handlers
    assert handlers is not None

    planned = handlers.preview(subject_of(owner))
    done = handlers.erase(subject_of(owner))
    again = handlers.erase(subject_of(owner))

    assert (planned.kept, done.kept, again.kept) == (1, 1, 0)
    assert planned.reason
    with organisation_scope(make.organisation_of(owner)):
        assert Record.objects.get(pk=saved.id).owner_id is None


@pytest.mark.parametrize(
    ("label", "model"),
    [("records.grant", RecordGrant), ("records.group_member", RecordGroupMember)],
)
def test_an_erasure_ends_what_names_the_person(
    home: tuple[Principal, Principal],
    label: str,
    model: type[RecordGrant] | type[RecordGroupMember],
) -> None:
    owner, colleague = home
    saved = make.record(owner)
    assert colleague.id is not None
    with organisation_scope(make.organisation_of(owner)):
        model(
            organisation_id=make.organisation_of(owner),
            record_id=saved.id,
            user_id=colleague.id,
        ).save()
    handlers = personal_data.get(label).handlers
    assert handlers is not None

    rows = exported(label, colleague)
    counted = handlers.preview(subject_of(colleague)), handlers.erase(subject_of(colleague))

    assert [row["record"] for row in rows] == [str(saved.id)]
    assert [count.deleted for count in counted] == [1, 1]
    with organisation_scope(make.organisation_of(owner)):
        assert not model.objects.exists()
