import pytest
from django.db import connection

from audit.models import AuditEvent
from encryption.cells import Fault
from encryption.services import Owner, OwnerKind, drop_keys, erase
from foundation.errors import Denied
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from tests.factories import records as make
from workspace.records import services
from workspace.records.errors import (
    KindUnknown,
    RecordNotFound,
    StaleVersion,
    ValuesInvalid,
)
from workspace.records.models import Record, RecordGrant, RecordValue, RecordVersion
from workspace.records.types import RecordFilter, Visibility


@pytest.fixture
def alice() -> Principal:
    return make.member(make.organisation())


def entries(code: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.using("journal_read").filter(type=code).order_by("seq"))


def test_a_record_opens_for_its_owner_with_its_values(alice: Principal) -> None:
    saved = make.record(alice, kind="company")

    with organisation_scope(make.organisation_of(alice)):
        view = services.read_record(saved.id, principal=alice)

    assert view.title == "Muster GmbH"
    assert view.values["iban"] == make.IBAN
    assert view.version == 1
    assert view.owner_id == alice.id


def test_no_value_lies_in_clear_in_any_column(alice: Principal) -> None:
    make.record(alice, kind="company")
    make.record(alice, kind="contact")

    with organisation_scope(make.organisation_of(alice)), connection.cursor() as cursor:
        for table in ("records_record", "records_value", "records_version"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")  # noqa: S608  our own names
            text = "".join(row[0] for row in cursor.fetchall())
            assert text
            for planted in (make.IBAN, make.PHONE, "Muster", "Kowalska", "anna@example"):
                assert planted not in text
                assert planted.encode().hex() not in text


def test_personal_values_of_a_contact_have_a_key_of_their_own(alice: Principal) -> None:
    contact = make.record(alice, kind="contact")
    company = make.record(alice, kind="company")
    organisation_id = make.organisation_of(alice)
    with organisation_scope(organisation_id):
        subject_id = Record.objects.get(pk=contact.id).subject_id
    assert subject_id is not None

    erase(Owner(OwnerKind.SUBJECT, subject_id))
    drop_keys()

    with organisation_scope(organisation_id):
        gone = services.read_record(contact.id, principal=alice)
        kept = services.read_record(company.id, principal=alice)
    assert gone.values == {}
    erased = {view.spec.code for view in gone.fields if view.fault is Fault.ERASED}
    assert erased == set(make.CONTACT)
    assert gone.title != make.CONTACT["name"]
    assert kept.values["iban"] == make.IBAN


def test_a_change_makes_a_version_and_names_the_fields_in_the_journal(alice: Principal) -> None:
    saved = make.record(alice)

    with organisation_scope(make.organisation_of(alice)):
        changed = services.change_record(
            saved.id, {"iban": make.OTHER_IBAN}, principal=alice, expected_version=1
        )
        view = services.read_record(saved.id, principal=alice)
        versions = services.version_rows(saved.id, principal=alice)

    assert changed.version == 2
    assert view.values["iban"] == make.OTHER_IBAN
    assert view.values["phone"] == make.PHONE
    assert (versions[0].number, versions[0].fields) == (2, ("iban",))
    body = entries("workspace.record.changed")[-1].body
    assert "iban" in body
    assert make.OTHER_IBAN not in body
    assert make.IBAN not in body


def test_a_change_that_changes_nothing_makes_no_version(alice: Principal) -> None:
    saved = make.record(alice)

    with organisation_scope(make.organisation_of(alice)):
        again = services.change_record(
            saved.id, {"phone": make.PHONE}, principal=alice, expected_version=1
        )
        assert RecordVersion.objects.filter(record_id=saved.id).count() == 1

    assert again.version == 1
    assert again.changed == ()


def test_a_stale_change_is_refused_with_both_values(alice: Principal) -> None:
    saved = make.record(alice)
    with organisation_scope(make.organisation_of(alice)):
        services.change_record(
            saved.id, {"legal_name": "First GmbH"}, principal=alice, expected_version=1
        )

        with pytest.raises(StaleVersion) as caught:
            services.change_record(
                saved.id, {"legal_name": "Second GmbH"}, principal=alice, expected_version=1
            )

    (difference,) = caught.value.differences
    assert (difference.yours, difference.present) == ("Second GmbH", "First GmbH")
    assert caught.value.status == 409


def test_an_empty_text_takes_a_value_and_its_digest_away(alice: Principal) -> None:
    saved = make.record(alice)

    with organisation_scope(make.organisation_of(alice)):
        services.change_record(saved.id, {"iban": ""}, principal=alice, expected_version=1)
        view = services.read_record(saved.id, principal=alice)
        found = services.list_records(principal=alice, narrowed=RecordFilter(iban=make.IBAN))

        assert "iban" not in view.values
        assert not found.exists()


def test_a_required_value_cannot_be_taken_away(alice: Principal) -> None:
    saved = make.record(alice)

    with organisation_scope(make.organisation_of(alice)), pytest.raises(ValuesInvalid) as caught:
        services.change_record(saved.id, {"legal_name": ""}, principal=alice, expected_version=1)

    assert [error.pointer for error in caught.value.errors] == ["/values/legal_name"]


def test_wrong_values_write_nothing(alice: Principal) -> None:
    with organisation_scope(make.organisation_of(alice)):
        with pytest.raises(ValuesInvalid) as caught:
            services.create_record(
                "company", {**make.COMPANY, "iban": "DE00", "colour": "red"}, principal=alice
            )

        assert not Record.objects.exists()
    assert {error.pointer for error in caught.value.errors} == {"/values/iban", "/values/colour"}


def test_an_unknown_kind_is_refused(alice: Principal) -> None:
    with organisation_scope(make.organisation_of(alice)), pytest.raises(KindUnknown):
        services.create_record("secret-plans", {}, principal=alice)


def test_who_may_only_read_cannot_write(alice: Principal) -> None:
    reader = make.without(alice, "workspace.record.write")
    saved = make.record(alice)

    with organisation_scope(make.organisation_of(alice)):
        with pytest.raises(Denied):
            services.create_record("company", make.COMPANY, principal=reader)
        with pytest.raises(Denied):
            services.change_record(saved.id, {"phone": ""}, principal=reader, expected_version=1)


def test_a_foreign_record_looks_as_if_it_did_not_exist(alice: Principal) -> None:
    carol = make.member(make.organisation(), role="key_user")
    saved = make.record(alice, visibility=Visibility.ORGANISATION)

    with organisation_scope(make.organisation_of(carol)):
        for act in (
            lambda: services.read_record(saved.id, principal=carol),
            lambda: services.change_record(
                saved.id, {"phone": ""}, principal=carol, expected_version=1
            ),
            lambda: services.version_rows(saved.id, principal=carol),
            lambda: services.reveal_value(
                saved.id, "unlock_code", principal=carol, reason="because"
            ),
            lambda: services.change_visibility(
                saved.id, Visibility.OWN, principal=carol, expected_version=1
            ),
        ):
            with pytest.raises(RecordNotFound):
                act()


def test_a_read_is_written_down_with_reader_and_purpose(alice: Principal) -> None:
    saved = make.record(alice)

    with organisation_scope(make.organisation_of(alice)):
        services.read_record(saved.id, principal=alice, purpose="operation")

    entry = entries("workspace.record.read")[-1]
    assert entry.target_id == str(saved.id)
    assert str(alice.subject_id) in (str(entry.actor_id), entry.body)


def test_a_protected_value_is_hidden_until_it_is_revealed_for_a_reason(alice: Principal) -> None:
    saved = make.record(alice, kind="device")
    secret = make.DEVICE["unlock_code"]

    with organisation_scope(make.organisation_of(alice)):
        view = services.read_record(saved.id, principal=alice)
        assert secret not in repr(view)
        with pytest.raises(Denied):
            services.reveal_value(saved.id, "unlock_code", principal=alice, reason="  ")
        shown = services.reveal_value(
            saved.id, "unlock_code", principal=alice, reason="Device must be opened"
        )

    assert shown == secret
    entry = entries("workspace.record.revealed")[-1]
    assert "Device must be opened" in entry.body
    assert secret not in entry.body


def test_revealing_needs_its_permission(alice: Principal) -> None:
    saved = make.record(alice, kind="device")
    reader = make.without(alice, "workspace.record.reveal")

    with organisation_scope(make.organisation_of(alice)), pytest.raises(Denied):
        services.reveal_value(saved.id, "unlock_code", principal=reader, reason="because")


def test_an_iban_finds_its_visible_records_and_no_others(alice: Principal) -> None:
    bob = make.member(make.organisation())
    mine = make.record(alice)
    make.record(alice, values={**make.COMPANY, "iban": make.OTHER_IBAN})
    make.record(bob)

    with organisation_scope(make.organisation_of(alice)):
        narrowed = RecordFilter(iban="de89 3704 0044 0532 0130 00")
        found = services.list_records(principal=alice, narrowed=narrowed)

        assert [record.pk for record in found] == [mine.id]


@pytest.mark.parametrize("mode", ["everybody", "before\x00after", "x" * 5_000])
def test_an_unknown_mode_leaves_nothing(alice: Principal, mode: str) -> None:
    make.record(alice)

    with organisation_scope(make.organisation_of(alice)):
        narrowed = RecordFilter(visibility=mode)

        assert not services.list_records(principal=alice, narrowed=narrowed).exists()


def test_a_list_is_one_entry_with_its_ids(alice: Principal) -> None:
    first, second = make.record(alice), make.record(alice, kind="contact")

    with organisation_scope(make.organisation_of(alice)):
        listed = services.list_records(principal=alice, narrowed=RecordFilter())
        rows = services.rows_of(list(listed.order_by("id")), principal=alice)

    assert [row.title for row in rows] == ["Muster GmbH", "Anna Kowalska"]
    (entry,) = entries("workspace.record.listed")
    assert str(first.id) in entry.body
    assert str(second.id) in entry.body


def test_sharing_acts_at_once_and_ends_what_was_not_chosen() -> None:
    home = make.organisation()
    owner, bob, carl = make.member(home), make.member(home), make.member(home)
    saved = make.record(owner)
    with organisation_scope(home.pk):
        services.change_visibility(
            saved.id,
            Visibility.CHOSEN,
            principal=owner,
            expected_version=1,
            people=[bob.id] if bob.id else [],
        )
        assert services.read_record(saved.id, principal=bob).id == saved.id

        services.change_visibility(
            saved.id,
            Visibility.CHOSEN,
            principal=owner,
            expected_version=2,
            people=[carl.id] if carl.id else [],
        )

        with pytest.raises(RecordNotFound):
            services.read_record(saved.id, principal=bob)
        assert RecordGrant.objects.count() == 1
    assert '"own"' in entries("workspace.record.shared")[0].body


def test_only_colleagues_can_be_named(alice: Principal) -> None:
    stranger = make.member(make.organisation())
    saved = make.record(alice)

    with organisation_scope(make.organisation_of(alice)), pytest.raises(ValuesInvalid):
        services.change_visibility(
            saved.id,
            Visibility.CHOSEN,
            principal=alice,
            expected_version=1,
            people=[stranger.id] if stranger.id else [],
        )


def test_who_merely_sees_a_record_cannot_share_it() -> None:
    home = make.organisation()
    owner, bob = make.member(home), make.member(home)
    saved = make.record(owner, visibility=Visibility.ORGANISATION)

    with organisation_scope(home.pk), pytest.raises(Denied):
        services.change_visibility(saved.id, Visibility.OWN, principal=bob, expected_version=1)


def test_a_key_user_who_makes_a_record_confidential_stays_in_its_group() -> None:
    home = make.organisation()
    owner, key_user = make.member(home), make.member(home, role="key_user")
    saved = make.record(owner)

    with organisation_scope(home.pk):
        services.change_visibility(
            saved.id, Visibility.CONFIDENTIAL, principal=key_user, expected_version=1
        )

        assert services.read_record(saved.id, principal=key_user)
        assert services.read_record(saved.id, principal=owner)


def test_a_value_put_into_another_row_does_not_open(alice: Principal) -> None:
    first = make.record(alice)
    second = make.record(alice, values={**make.COMPANY, "iban": make.OTHER_IBAN})

    with organisation_scope(make.organisation_of(alice)):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE records_value SET identifier = (SELECT identifier FROM records_value "
                "WHERE record_id = %s AND field = 'iban') WHERE record_id = %s AND field = 'iban'",
                [second.id, first.id],
            )
        value = RecordValue.objects.get(record_id=first.id, field="iban")

        with pytest.raises(Exception, match=r"changed|belongs|another"):
            _ = value.identifier
