"""Pages with a cell that cannot be opened: a word stands there, and all the rest is shown."""

from http import HTTPStatus
from uuid import UUID

import pytest
from django.urls import reverse

from accounts.models import NotificationAddress, User
from accounts.services.notices import contact_of
from audit import reveal
from audit.models import AuditEvent
from encryption.services import Owner, OwnerKind, drop_keys, erase
from foundation.tenancy import organisation_scope
from tests.encryption.rules.bad_bytes import BAD, flipped
from tests.encryption.rules.cells import cell, forms_of, write_cell
from tests.factories import records as make
from tests.factories.accounts import Browser
from tests.proofs import Tried
from workspace.records.models import Record, RecordValue

CLAIM = "encryption: a page shows a word for a cell that cannot be opened, and all the rest"
NAME = "Planted GmbH"
CONTACT = {**make.CONTACT, "email": "planted@example.org"}
COMPANY = {**make.COMPANY, "legal_name": NAME}


def created(browser: Browser, kind: str, values: dict[str, str]) -> UUID:
    answer = browser.post(reverse("records:create", args=[kind]), values)
    assert answer.status_code == HTTPStatus.FOUND, answer.content.decode()
    with organisation_scope(browser.organisation.pk):
        return Record.objects.latest("created_at").pk


def spoil(browser: Browser, record_id: UUID, field: str, column: str, way: str) -> bytes:
    """Damage the cell of a record's value and return what stands there then."""
    with organisation_scope(browser.organisation.pk):
        value = RecordValue.objects.get(record_id=record_id, field=field)
        bad = BAD[way][0](cell(RecordValue, column, value.pk))
        write_cell(RecordValue, column, value.pk, bad)
    drop_keys()
    return bad


def shown(browser: Browser, name: str, *args: object) -> str:
    answer = browser.get(reverse(name, args=args))
    assert answer.status_code == HTTPStatus.OK, answer.content.decode()
    return answer.content.decode()


def incidents() -> int:
    return AuditEvent.objects.filter(type="encryption.value.tampered").count()


@pytest.mark.proof(CLAIM)
@pytest.mark.parametrize("way", BAD)
def test_a_record_with_a_bad_cell_is_shown_without_it(
    way: str, alice: Browser, tried: Tried
) -> None:
    record_id = created(alice, "company", COMPANY)
    other_id = created(alice, "device", make.DEVICE)
    assert NAME in shown(alice, "records:detail", record_id)  # control
    bad = spoil(alice, record_id, "legal_name", "organisation_text", way)

    for _ in range(2):
        detail = shown(alice, "records:detail", record_id)
        listed = shown(alice, "records:list")

        for page in (detail, listed):
            assert "unreadable" in page
            assert NAME not in page
            assert not [form for form in forms_of(bad) if len(form) > 8 and form in page]
        assert make.IBAN in detail
        assert make.COMPANY["account_holder"] in detail
        assert make.DEVICE["name"] in listed
        tried.case(2)
    assert make.DEVICE["name"] in shown(alice, "records:detail", other_id)
    assert NAME not in shown(alice, "records:history", record_id)
    assert NAME not in shown(alice, "records:edit", record_id)


@pytest.mark.proof(CLAIM)
def test_an_erased_cell_reads_erased_and_not_unreadable(alice: Browser, tried: Tried) -> None:
    record_id = created(alice, "contact", CONTACT)
    with organisation_scope(alice.organisation.pk):
        subject_id = Record.objects.get(pk=record_id).subject_id
    assert subject_id is not None
    assert CONTACT["email"] in shown(alice, "records:detail", record_id)  # control
    erase(Owner(OwnerKind.SUBJECT, subject_id))

    for page in ("records:detail", "records:edit"):
        assert CONTACT["email"] not in shown(alice, page, record_id)
    assert "erased" in shown(alice, "records:detail", record_id)
    assert "unreadable" not in shown(alice, "records:detail", record_id)
    assert "erased" in shown(alice, "records:list")
    tried.case(4)


def test_saving_a_form_leaves_an_unreadable_value_until_a_new_one_is_typed(alice: Browser) -> None:
    record_id = created(alice, "company", COMPANY)
    bad = spoil(alice, record_id, "account_holder", "organisation_text", "bit of the tag")
    form = {**make.COMPANY, "account_holder": "", "legal_name": "New GmbH", "record_version": "1"}

    first = alice.post(reverse("records:edit", args=[record_id]), form)

    assert first.status_code == HTTPStatus.FOUND, first.content.decode()
    with organisation_scope(alice.organisation.pk):
        value = RecordValue.objects.get(record_id=record_id, field="account_holder")
        assert cell(RecordValue, "organisation_text", value.pk) == bad
    assert "New GmbH" in shown(alice, "records:detail", record_id)
    form |= {"account_holder": "New Holding", "record_version": "2"}
    second = alice.post(reverse("records:edit", args=[record_id]), form)
    assert second.status_code == HTTPStatus.FOUND, second.content.decode()
    page = shown(alice, "records:detail", record_id)
    assert "New Holding" in page
    assert "unreadable" not in page


@pytest.mark.proof(CLAIM)
@pytest.mark.parametrize("way", ["bit of the tag", "unknown key", "plaintext", "format 02"])
def test_a_bad_name_ends_no_page_of_its_person(
    way: str, alice: Browser, kim: Browser, tried: Tried
) -> None:
    record_id = created(alice, "company", COMPANY)
    assert "Alice Archer" in shown(alice, "records:list")  # control
    bad = BAD[way][0](cell(User, "display_name", alice.user.pk))
    write_cell(User, "display_name", alice.user.pk, bad)
    drop_keys()

    pages = (
        ("records:list", alice),
        ("records:detail", alice, record_id),
        ("records:history", alice, record_id),
        ("records:visibility", alice, record_id),
        ("profile", alice),
        ("records:detail", kim, record_id),
    )
    for name, browser, *args in pages:
        page = shown(browser, name, *args)
        assert "Alice Archer" not in page
        assert not [form for form in forms_of(bad) if form in page]
        tried.case()
    members = shown(kim, "member_list")
    assert "unreadable" in members
    assert "Kim Keyes" in members
    assert alice.user.email in members


@pytest.mark.proof(CLAIM)
def test_the_admin_shows_people_whose_name_is_bad(
    ada: Browser, alice: Browser, tried: Tried
) -> None:
    for user in (ada.user, alice.user):
        write_cell(User, "display_name", user.pk, b"\x02" * 60)
    drop_keys()

    listed = shown(ada, "admin:accounts_user_changelist")
    one = shown(ada, "admin:accounts_user_change", alice.user.pk)

    assert alice.user.email in listed
    assert alice.user.email in one
    tried.case(2)


def test_a_bad_address_stops_no_notice_to_the_others(alice: Browser) -> None:
    for address in ("first@example.org", "second@example.org"):
        NotificationAddress.objects.create(
            user=alice.user,
            subject_id=alice.user.subject_id,
            address=address,
            verified_at=alice.user.created_at,
        )
    row = next(row for row in NotificationAddress.objects.all() if row.address[0] == "f")
    write_cell(NotificationAddress, "address", row.pk, b"\x02" * 60)

    assert set(contact_of(alice.user).addresses) == {alice.user.email, "second@example.org"}


@pytest.mark.proof("encryption: one changed cell is one entry in the journal, not one per look")
def test_pages_with_a_changed_cell_write_one_entry(alice: Browser, tried: Tried) -> None:
    record_id = created(alice, "company", COMPANY)
    before = incidents()
    shown(alice, "records:detail", record_id)
    assert incidents() == before  # control: nothing is wrong yet
    spoil(alice, record_id, "legal_name", "organisation_text", "bit of the tag")

    for _ in range(3):
        shown(alice, "records:detail", record_id)
        shown(alice, "records:list")
        tried.case(2)

    assert incidents() == before + 1
    facts = AuditEvent.objects.filter(type="encryption.value.tampered").latest("seq").body
    assert "label=records.value.organisation_text" in str(facts)


@pytest.mark.proof(CLAIM)
def test_an_entry_of_the_journal_whose_part_is_bad_is_opened_without_it(
    alice: Browser, ada: Browser, tried: Tried
) -> None:
    created(alice, "company", COMPANY)
    entry = AuditEvent.objects.filter(type="workspace.record.created").latest("seq")
    ours = {part.value for part in reveal.open_parts(entry, principal=ada.principal, reason="x")}
    assert entry.actor_sealed is not None
    bad = flipped(bytes(entry.actor_sealed), -1)
    entry.actor_sealed = bad

    shown_now = reveal.open_parts(entry, principal=ada.principal, reason="x")

    assert "unreadable" not in ours  # control
    assert ("label", "unreadable") in {(part.name, part.value) for part in shown_now}
    tried.case()
