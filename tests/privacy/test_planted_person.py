"""A string in every personal column: after the erasure only what the receipt lists is left."""

import json

import pytest

from accounts.models import NotificationAddress, User
from audit import sealing
from audit.models import AuditEvent, Subject
from audit.services import record
from encryption.errors import Erased
from encryption.models import BlindIndexEntry, DataKey
from encryption.services import Owner, OwnerKind, drop_keys, was_erased
from foundation.tenancy import organisation_scope
from integrations.partners.models import Onboarding
from privacy.audit_events import REQUEST_READY
from privacy.models import Archive, ErasurePlan
from privacy.services import erasure, erasure_runs
from tests.factories import audit as journal
from tests.factories import privacy as make
from tests.privacy import planting
from tests.proofs import Tried
from tests.servers import FreshDatabase
from workspace.records.models import Record, RecordValue

# A case of an attack stays as evidence; the receipt says so (audit.alert, kept).
STAYS = {"audit.alert.dedupe_key", "audit.alert.net", "audit.alert.closing_reason"}


@pytest.fixture
def planted(fresh_database: FreshDatabase) -> planting.Planted:
    assert fresh_database.environment
    return planting.person()


def search(fresh: FreshDatabase, planted: planting.Planted) -> set[tuple[str, str]]:
    hits: set[tuple[str, str]] = set()
    for name in (fresh.servers.main, fresh.servers.keys):
        with fresh.installation.postgres.connect(name) as connection:
            hits |= planting.found_in(connection, planted.strings)
    return hits


def test_every_personal_text_column_of_a_source_with_handlers_is_planted(
    planted: planting.Planted,
) -> None:
    known = set(planted.strings) | set(planting.NOT_PLANTED)
    rows = set(planting.rows_of(planted.user))

    for label in make.WITH_HANDLERS:
        if label in rows:
            columns = {f"{label}.{column.name}" for column in planting.personal_texts(label)}
            assert columns <= known
    assert len(planted.strings) > 25
    assert len(set(planted.strings.values())) > 20


@pytest.mark.proof("privacy: of a planted person only what the receipt lists is left")
def test_after_the_erasure_only_what_the_receipt_lists_is_left(
    planted: planting.Planted, fresh_database: FreshDatabase, tried: Tried
) -> None:
    before = search(fresh_database, planted)
    preview = {count.label: count for count in erasure.preview(planted.user)}

    plan = make.erased(planted.user)
    drop_keys()
    left = search(fresh_database, planted)

    sealed = {"accounts.user.display_name", "accounts.notification_address.address"}
    assert {name for _table, name in before} >= set(planted.strings) - sealed - {
        "partners.onboarding.contact_name"
    }
    assert {name for _table, name in left} == STAYS
    assert {table for table, _name in left} == {"alert"}
    lines = {line["label"]: line for line in json.loads(plan.receipt.body)["sources"]}
    assert lines["audit.alert"]["kept"] == 1
    assert lines["audit.alert"]["reason"]
    assert set(preview) <= set(lines)
    tried.case(len(planted.strings))
    text = planting.cached()
    assert not any(value in text for value in planted.strings.values())


def test_the_preview_tells_what_then_happens(planted: planting.Planted) -> None:
    make.due(planted.user)
    preview = {count.label: count for count in erasure.preview(planted.user)}

    plan = ErasurePlan.objects.get(request__user_id=planted.user.pk)
    erasure_runs.run(plan.pk)

    for item in plan.items.all():
        count = preview.get(item.label)
        told = (0, 0, 0) if count is None else (count.deleted, count.shredded, count.kept)
        did = (item.deleted, item.shredded, item.kept)
        if item.label == "audit.entry":  # its own steps are entries too
            assert did >= told
        else:
            assert (item.label, did) == (item.label, told)


def test_keys_digests_and_sealed_values_are_gone(planted: planting.Planted) -> None:
    subject = Owner(OwnerKind.SUBJECT, planted.user.subject_id)
    address = NotificationAddress.objects.get(user=planted.user)
    archive = Archive.objects.get()
    onboarding = Onboarding.objects.get(contact_user=planted.user)
    contact = Owner(OwnerKind.SUBJECT, onboarding.contact_subject_id)

    make.erased(planted.user)
    drop_keys()

    assert was_erased(subject)
    assert was_erased(contact)
    assert was_erased(Owner(OwnerKind.ARCHIVE, archive.pk))
    owners = [subject.id, contact.id, archive.pk]
    assert not DataKey.objects.using("keys").filter(owner_id__in=owners).exists()
    assert not BlindIndexEntry.objects.filter(owner__in=owners).exists()
    assert not Onboarding.objects.matching(contact_email=planting.EMAIL)
    with pytest.raises(Erased):
        str(Onboarding.objects.get(pk=onboarding.pk).contact_name)
    assert not NotificationAddress.objects.filter(pk=address.pk).exists()


def test_nothing_of_the_person_can_be_read_in_the_journal(planted: planting.Planted) -> None:
    subject_id = planted.user.subject_id
    make.erased(planted.user)
    drop_keys()

    read = 0
    for entry in AuditEvent.objects.exclude(actor_sealed=None):
        if entry.actor_owner == Owner(OwnerKind.SUBJECT, subject_id):
            read += 1
            with pytest.raises(Erased):
                sealing.open_actor(
                    bytes(entry.actor_sealed or b""),
                    event_id=entry.event_id,
                    owner=entry.actor_owner,
                )
    assert read > 3
    assert not Subject.objects.filter(subject_id=subject_id).exists()
    texts = "\n".join(AuditEvent.objects.values_list("body", flat=True))
    assert planting.EMAIL not in texts
    assert planting.NAME not in texts


def test_a_later_entry_about_the_person_makes_no_new_key(planted: planting.Planted) -> None:
    subject_id = planted.user.subject_id
    make.erased(planted.user)
    drop_keys()

    record(journal.CHANGE, principal=journal.person(subject_id=subject_id), details={})
    record(
        journal.CHANGE,
        principal=make.principal_of(planted.user),
        about=subject_id,
        details={"name": planting.NAME},
    )
    record(
        REQUEST_READY,
        principal=make.principal_of(planted.user),
        about=subject_id,
        details={"sections": 1, "rows": 1},
    )

    assert not DataKey.objects.using("keys").filter(owner_id=subject_id).exists()
    entry = journal.last("audit.test.changed")
    assert entry.subject_sealed is None


def test_records_stay_with_both_organisations_without_the_name(planted: planting.Planted) -> None:
    user = planted.user
    with organisation_scope(planted.home.pk):
        owned = list(Record.objects.filter(owner_id=user.pk).values_list("pk", flat=True))
        value = RecordValue.objects.filter(record_id=owned[0]).first()
        assert value is not None
        own = RecordValue(
            organisation_id=planted.home.pk,
            record_id=owned[0],
            field="own",
            subject_id=user.subject_id,
            personal_text="planted-own-value",
        )
        own.save()
    assert len(owned) == 2

    make.erased(user)
    drop_keys()

    for organisation in (planted.home, planted.second):
        with organisation_scope(organisation.pk):
            assert not Record.objects.filter(owner_id=user.pk).exists()
    with organisation_scope(planted.home.pk):
        assert Record.objects.filter(pk__in=owned).count() == 2
        kept = RecordValue.objects.filter(record_id=owned[0]).exclude(field="own")
        assert any(row.organisation_text for row in kept)
        with pytest.raises(Erased):
            str(RecordValue.objects.get(pk=own.pk).personal_text)


def test_the_account_is_a_shell(planted: planting.Planted) -> None:
    make.erased(planted.user)

    user = User.objects.get(pk=planted.user.pk)
    assert user.email == f"{user.pk}@erased.invalid"
    assert user.display_name is None
    assert not user.is_active
