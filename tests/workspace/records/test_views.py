"""Pages of records in the browsers of the cast."""

from http import HTTPStatus
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.assurance import PROVED_AT_KEY
from foundation.tenancy import organisation_scope
from tests.factories import records as make
from tests.factories.accounts import Browser, session_of
from workspace.records.models import Record
from workspace.records.types import Visibility

STALE_AFTER = 301


def page(name: str, *args: object) -> str:
    return reverse(f"records:{name}", args=args)


def created(browser: Browser, kind: str = "company", **values: str) -> Record:
    shipped = {"company": make.COMPANY, "contact": make.CONTACT, "device": make.DEVICE}[kind]
    answer = browser.post(page("create", kind), {**shipped, **values})
    assert answer.status_code == HTTPStatus.FOUND, answer.content.decode()
    with organisation_scope(browser.organisation.pk):
        return Record.objects.order_by("-created_at")[0]


def proved_long_ago(browser: Browser) -> None:
    """Sign in anew with a proof that is too old for a step-up."""
    store = session_of(browser.user)
    store[PROVED_AT_KEY] = store[PROVED_AT_KEY] - STALE_AFTER
    store["organisation"] = str(browser.organisation.pk)
    store.save()
    browser.use(store)


def test_a_person_creates_a_record_and_reads_it_again(alice: Browser) -> None:
    record = created(alice)

    answer = alice.get(page("detail", record.pk))

    text = answer.content.decode()
    assert answer.status_code == HTTPStatus.OK
    assert "Muster GmbH" in text
    assert make.IBAN in text
    assert "no-store" in answer["Cache-Control"]


def test_the_list_shows_own_records_and_an_empty_list_says_what_to_do(
    alice: Browser, carol: Browser
) -> None:
    created(alice)

    assert "Muster GmbH" in alice.get(page("list")).content.decode()
    empty = carol.get(page("list")).content.decode()
    assert "Muster GmbH" not in empty
    assert "No records yet" in empty


def test_a_filter_that_leaves_nothing_offers_to_clear_it(alice: Browser) -> None:
    created(alice)

    text = alice.get(page("list"), {"kind": "device"}).content.decode()

    assert "Nothing matches" in text
    assert "Clear filters" in text


def test_the_list_pages_by_cursor_and_shows_each_record_once(alice: Browser) -> None:
    for number in range(27):
        make.record(alice.principal, values={"legal_name": f"Company {number:02}."})

    first = alice.get(page("list"))
    second = alice.get(first.context["page"].next_url)

    text = first.content.decode() + second.content.decode()
    assert all(text.count(f"Company {number:02}.") == 1 for number in range(27))
    assert second.context["page"].next_url == ""


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", "eyJ2IjpbImEiLCJiIl0sImIiOmZhbHNlfQ", "\x00", "9" * 5000]
)
def test_a_spoilt_cursor_is_no_fault(alice: Browser, cursor: str) -> None:
    created(alice)

    answer = alice.get(page("list"), {"cursor": cursor})

    assert answer.status_code in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}


def test_the_list_needs_the_same_number_of_queries_for_any_number_of_rows(
    alice: Browser, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(25):
        make.record(alice.principal, values={"legal_name": f"Company {number}"})

    with django_assert_max_num_queries(30):  # type: ignore[operator]  # pytest-django's fixture
        alice.get(page("list"))


def test_a_wrong_iban_is_named_beside_its_field_and_the_input_is_kept(alice: Browser) -> None:
    answer = alice.post(
        page("create", "company"), {**make.COMPANY, "iban": "DE00370400440532013000"}
    )

    text = answer.content.decode()
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "check digits" in text
    assert "Muster GmbH" in text
    with organisation_scope(alice.organisation.pk):
        assert not Record.objects.exists()


@pytest.mark.parametrize("name", ["a\x00b", "x" * 1_000_000, "\x1b[31m"])
def test_bad_input_is_refused_without_a_fault(alice: Browser, name: str) -> None:
    answer = alice.post(page("create", "company"), {"legal_name": name})

    assert answer.status_code in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST, 413}
    with organisation_scope(alice.organisation.pk):
        assert not Record.objects.exists()


def test_an_unknown_kind_is_not_found(alice: Browser) -> None:
    assert alice.get(page("create", "weapon")).status_code == HTTPStatus.NOT_FOUND


def test_two_editors_meet_and_the_second_sees_both_values(alice: Browser, kim: Browser) -> None:
    record = created(alice)
    alice.post(
        page("edit", record.pk), {**make.COMPANY, "legal_name": "First", "record_version": 1}
    )

    answer = kim.post(
        page("edit", record.pk), {**make.COMPANY, "legal_name": "Second", "record_version": 1}
    )

    text = answer.content.decode()
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "First" in text
    assert "Second" in text
    assert 'name="record_version" value="2"' in text
    again = kim.post(
        page("edit", record.pk), {**make.COMPANY, "legal_name": "Second", "record_version": 2}
    )
    assert again.status_code == HTTPStatus.FOUND


def test_a_second_record_with_the_same_iban_brings_a_warning(alice: Browser) -> None:
    created(alice)

    answer = alice.post(page("create", "company"), make.COMPANY, follow=True)

    assert "holds the same IBAN" in answer.content.decode()


def test_an_iban_is_looked_up_by_post_and_finds_only_what_one_may_see(
    alice: Browser, carol: Browser
) -> None:
    created(alice)

    mine = alice.post(page("look_up"), {"iban": make.IBAN})
    foreign = carol.post(page("look_up"), {"iban": make.IBAN})
    wrong = alice.post(page("look_up"), {"iban": "DE00"})

    assert "Muster GmbH" in mine.content.decode()
    assert "Muster GmbH" not in foreign.content.decode()
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert alice.get(page("look_up"), {"iban": make.IBAN}).status_code == 405


def test_a_protected_value_is_shown_once_after_a_reason(alice: Browser) -> None:
    record = created(alice, "device")
    secret = make.DEVICE["unlock_code"]
    for name in ("detail", "edit", "history"):
        assert secret not in alice.get(page(name, record.pk)).content.decode()
    address = page("reveal", record.pk, "unlock_code")

    asked = alice.get(address)
    without_reason = alice.post(address, {"reason": ""})
    shown = alice.post(address, {"reason": "Device must be opened for repair"})

    assert secret not in asked.content.decode()
    assert without_reason.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert secret not in alice.get(page("detail", record.pk)).content.decode()


def test_an_emptied_protected_field_keeps_its_value(alice: Browser) -> None:
    record = created(alice, "device")

    alice.post(page("edit", record.pk), {"name": "Line 3", "unlock_code": "", "record_version": 1})

    shown = alice.post(page("reveal", record.pk, "unlock_code"), {"reason": "to see"})
    assert make.DEVICE["unlock_code"] in shown.content.decode()


def test_a_field_that_is_not_protected_has_no_page_to_reveal_it(alice: Browser) -> None:
    record = created(alice, "device")

    answer = alice.post(page("reveal", record.pk, "name"), {"reason": "to see"})

    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_revealing_and_widening_ask_for_a_recent_proof(alice: Browser) -> None:
    record = created(alice, "device")
    proved_long_ago(alice)

    for address in (page("reveal", record.pk, "unlock_code"), page("widen", record.pk)):
        answer = alice.post(address, {"reason": "to see"})
        assert answer.status_code == HTTPStatus.FOUND
        assert answer["Location"].startswith(reverse("step_up"))
    with organisation_scope(alice.organisation.pk):
        assert Record.objects.get(pk=record.pk).visibility == Visibility.OWN


def test_widening_goes_by_its_own_page_and_acts_at_once(alice: Browser, bob: Browser) -> None:
    record = created(alice)
    assert bob.get(page("detail", record.pk)).status_code == HTTPStatus.NOT_FOUND

    first = alice.post(
        page("visibility", record.pk), {"visibility": "organisation", "record_version": 1}
    )
    assert first["Location"] == page("widen", record.pk)
    assert bob.get(page("detail", record.pk)).status_code == HTTPStatus.NOT_FOUND
    alice.post(page("widen", record.pk))

    assert bob.get(page("detail", record.pk)).status_code == HTTPStatus.OK


def test_a_named_colleague_sees_it_until_another_mode_is_chosen(
    alice: Browser, bob: Browser
) -> None:
    record = created(alice)
    chosen = {"visibility": "chosen", "people": [str(bob.user.pk)], "ends_on": "2999-12-31"}

    alice.post(page("visibility", record.pk), {**chosen, "record_version": 1})
    seen = bob.get(page("detail", record.pk)).status_code
    alice.post(page("visibility", record.pk), {"visibility": "own", "record_version": 2})

    assert seen == HTTPStatus.OK
    assert bob.get(page("detail", record.pk)).status_code == HTTPStatus.NOT_FOUND


def test_a_key_user_sees_all_but_confidential_records(alice: Browser, kim: Browser) -> None:
    record = created(alice)
    assert kim.get(page("detail", record.pk)).status_code == HTTPStatus.OK

    alice.post(page("visibility", record.pk), {"visibility": "confidential", "record_version": 1})

    assert kim.get(page("detail", record.pk)).status_code == HTTPStatus.NOT_FOUND
    assert "Muster" not in kim.get(page("list")).content.decode()


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
@pytest.mark.parametrize("name", ["detail", "edit", "visibility", "widen", "history", "reveal"])
def test_a_foreign_id_answers_like_one_that_never_was(
    alice: Browser, carol: Browser, name: str, method: str
) -> None:
    record = created(alice, "device")
    more = ("unlock_code",) if name == "reveal" else ()

    foreign = getattr(carol, method)(page(name, record.pk, *more))
    unknown = getattr(carol, method)(page(name, uuid4(), *more))

    assert foreign.status_code == unknown.status_code
    assert foreign.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    assert "Packing line" not in foreign.content.decode()


def test_a_visitor_is_led_to_the_sign_in_page(visitor: Browser, alice: Browser) -> None:
    record = created(alice)

    for address in (page("list"), page("detail", record.pk), page("create", "company")):
        answer = visitor.get(address)
        assert answer.status_code == HTTPStatus.FOUND
        assert answer["Location"].startswith(reverse("account_login"))


def test_the_home_page_has_a_card_of_records(alice: Browser) -> None:
    created(alice)

    assert "record you can see" in alice.get(reverse("home")).content.decode()


def test_a_stale_change_of_sight_is_told_and_changes_nothing(alice: Browser, bob: Browser) -> None:
    record = created(alice)
    alice.post(page("edit", record.pk), {**make.COMPANY, "phone": "", "record_version": 1})

    answer = alice.post(
        page("visibility", record.pk),
        {"visibility": "chosen", "people": [str(bob.user.pk)], "record_version": 1},
    )

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "changed in the meantime" in answer.content.decode()
    assert bob.get(page("detail", record.pk)).status_code == HTTPStatus.NOT_FOUND


def test_who_merely_sees_a_record_has_no_page_to_share_it(alice: Browser, bob: Browser) -> None:
    record = created(alice)
    alice.post(page("widen", record.pk))

    assert bob.get(page("visibility", record.pk)).status_code == HTTPStatus.FORBIDDEN
    assert bob.post(page("widen", record.pk)).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("ends_on", ["2000-01-01", "soon", "2026-13-01"])
def test_an_end_that_is_over_or_no_date_is_refused(
    alice: Browser, bob: Browser, ends_on: str
) -> None:
    record = created(alice)
    chosen = {"visibility": "chosen", "people": [str(bob.user.pk)], "ends_on": ends_on}

    answer = alice.post(page("visibility", record.pk), {**chosen, "record_version": 1})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_the_card_of_an_empty_organisation_offers_the_first_act(alice: Browser) -> None:
    assert "Create the first record" in alice.get(reverse("home")).content.decode()


def test_the_list_can_be_narrowed_to_ones_own_and_names_its_filters(
    alice: Browser, kim: Browser
) -> None:
    created(alice)

    text = kim.get(page("list"), {"owner": "me", "visibility": "own"}).content.decode()

    assert "Nothing matches" in text
    assert "My own records" in text
