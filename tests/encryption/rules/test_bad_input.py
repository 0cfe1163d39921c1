"""Bad bytes in a cell and bad values: a named error says row and field, and never a value."""

import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from pytest_django import Settings

from encryption import envelope
from encryption.errors import Erased, KeyLost, NotStorable, Placed, Tampered, Unreadable
from encryption.keyring import keyring
from encryption.services import drop_keys, erase
from tests.encryption.conftest import Recorded
from tests.encryption.models import Person, Supplier
from tests.encryption.rules.bad_bytes import BAD
from tests.encryption.rules.cells import cell, forms_of, write_cell
from tests.factories.encryption import person, subject, unsaved_person
from tests.proofs import Tried

if TYPE_CHECKING:
    from encryption.fields import AnySealedField

CLAIM = "encryption: bad input is a named error with row and field, and never a value"
REPORTS = "encryption: no error report shows plaintext, ciphertext or a key"
SECRET = "planted-secret-4711"
FIELDS = {
    "name": SECRET,
    "email": f"{SECRET}@example.org",
    "note": SECRET,
    "data": {"k": SECRET},
    "born": date(1987, 6, 5),
    "balance": Decimal("98765.4321"),
    "photo": SECRET.encode(),
}


def failure_of(pk: UUID, name: str) -> Exception:
    """Return the error of opening a field, from frames that know no secret."""
    try:
        getattr(Person.objects.get(pk=pk), name)
    except Exception as error:  # noqa: BLE001  the test looks at it
        return error
    raise AssertionError(f"{name} opened")


def failure_of_saving(make: Callable[[], Person]) -> Exception:
    """Return the error of saving a row."""
    row = make()
    try:
        row.save()
    except Exception as error:  # noqa: BLE001  the test looks at it
        return error
    raise AssertionError("it was saved")


def report_of(error: BaseException) -> str:
    """Return what Django's error reporter shows: as page and as mail, with all variables."""
    request = RequestFactory().get("/")
    reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
    frames = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )
    return reporter.get_traceback_html() + reporter.get_traceback_text() + frames


@pytest.mark.proof(CLAIM)
@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("way", BAD)
def test_bad_bytes_are_a_named_error_with_row_and_field(way: str, name: str, tried: Tried) -> None:
    change, expected = BAD[way]
    row = person(**FIELDS)
    good = cell(Person, name, row.pk)
    write_cell(Person, name, row.pk, change(good))

    error = failure_of(row.pk, name)

    assert type(error) is expected
    assert (error.label, error.row) == (f"t.person.{name}", str(row.pk))
    assert f"t.person.{name}" in str(error)
    assert str(row.pk) in str(error)
    assert SECRET not in str(error)
    others = Person.objects.get(pk=row.pk)
    assert all(getattr(others, other) == FIELDS[other] for other in FIELDS if other != name)
    write_cell(Person, name, row.pk, good)
    assert getattr(Person.objects.get(pk=row.pk), name) == FIELDS[name]  # control
    tried.case()


@pytest.mark.proof("encryption: every bit of a stored value is guarded")
def test_every_flipped_bit_of_a_cell_is_refused(tried: Tried) -> None:
    row = person(name="x")
    good = cell(Person, "name", row.pk)
    for place in range(len(good) * 8):
        bad = bytearray(good)
        bad[place // 8] ^= 1 << place % 8
        write_cell(Person, "name", row.pk, bytes(bad))

        error = failure_of(row.pk, "name")

        assert isinstance(error, Tampered | KeyLost)
        assert isinstance(error, KeyLost) == (8 <= place < 72)  # a bit of the key id
        tried.case()
    write_cell(Person, "name", row.pk, good)
    assert Person.objects.get(pk=row.pk).name == "x"


@pytest.mark.proof("encryption: a value moved to another row, column, table or owner is refused")
def test_swapped_and_foreign_values_are_refused(tried: Tried) -> None:
    owner = uuid4()
    mine = person(subject_id=owner, name=SECRET, note=SECRET)
    other = person(subject_id=owner, organisation_id=mine.organisation_id)
    firm = Supplier.objects.create(id=mine.pk, subject_id=owner, name="Firm")
    stranger = person(name="stranger")
    name, note = cell(Person, "name", mine.pk), cell(Person, "note", mine.pk)
    for pk, column, value in (
        (other.pk, "name", name),
        (other.pk, "note", note),
        (mine.pk, "email", name),
        (mine.pk, "note", name),
        (stranger.pk, "name", name),
        (mine.pk, "name", cell(Supplier, "name", firm.pk)),
    ):
        write_cell(Person, column, pk, value)

        error = failure_of(pk, column)

        assert isinstance(error, Tampered)
        assert (error.label, error.row) == (f"t.person.{column}", str(pk))
        tried.case()
    write_cell(Person, "name", mine.pk, name)
    assert Person.objects.get(pk=mine.pk).name == SECRET  # control


@pytest.mark.proof(CLAIM)
def test_a_value_of_another_installation_is_lost(tried: Tried) -> None:
    row = person(name=SECRET)
    cipher = keyring.for_sealing(subject(row.subject_id)).cipher
    foreign = envelope.seal(
        cipher,
        header=envelope.FORMAT + b"\x01\x02\x03\x04\x05\x06\x07\x08",
        label=envelope.label_part("t.person.name"),
        row=row.pk.bytes,
        plaintext=b"foreign",
    )
    write_cell(Person, "name", row.pk, foreign)

    assert isinstance(failure_of(row.pk, "name"), KeyLost)
    tried.case()


@pytest.mark.proof(CLAIM)
def test_null_and_empty_are_two_things(tried: Tried) -> None:
    row = person(note="")
    write_cell(Person, "note", row.pk, None)
    assert Person.objects.get(pk=row.pk).note is None
    write_cell(Person, "note", row.pk, b"")
    assert isinstance(failure_of(row.pk, "note"), Tampered)
    row.note = ""
    row.save()
    assert Person.objects.get(pk=row.pk).note == ""
    tried.case(3)


BAD_VALUES: dict[str, tuple[str, object, str]] = {
    "lone surrogate": ("name", f"{SECRET}\ud800", "encryption.not_unicode"),
    "lone surrogate in an address": ("email", f"{SECRET}\udfff@e.org", "encryption.not_unicode"),
    "lone surrogate in JSON": ("data", {"k": [f"{SECRET}\ud83d"]}, "encryption.not_unicode"),
    "lone surrogate as a name": ("data", {f"{SECRET}\ud83d": 1}, "encryption.not_unicode"),
    "not a number in JSON": ("data", {SECRET: [float("nan")]}, "encryption.not_json"),
    "names that JSON makes one": ("data", {1: SECRET, "1": "other"}, "encryption.not_json"),
    "names of two types": ("data", {None: SECRET, "a": 1}, "encryption.not_json"),
    "an integer of 5,000 digits": ("data", {SECRET: 10**5000}, "encryption.not_json"),
    "not a number": ("balance", Decimal("NaN"), "encryption.not_finite"),
    "a signalling one": ("balance", Decimal("sNaN123"), "encryption.not_finite"),
    "infinite": ("balance", Decimal("-Infinity"), "encryption.not_finite"),
}


@pytest.mark.proof(CLAIM)
@pytest.mark.parametrize("what", BAD_VALUES)
def test_values_that_cannot_be_stored_are_refused_by_name(what: str, tried: Tried) -> None:
    name, value, code = BAD_VALUES[what]

    error = failure_of_saving(lambda: unsaved_person(**{name: value}))

    assert isinstance(error, NotStorable)
    assert error.reason_code == code
    assert error.label == f"t.person.{name}"
    assert UUID(error.row)
    assert SECRET not in report_of(error)
    assert not Person.objects.exists()
    tried.case()


def test_json_that_is_nested_without_end_is_refused() -> None:
    value: list[object] = []
    value.append(value)

    error = failure_of_saving(lambda: unsaved_person(data=value))

    assert isinstance(error, NotStorable)
    assert error.reason_code == "encryption.not_json"


WRONG_TYPES: dict[str, object] = {
    "name": 4711_0815_4242,
    "email": SECRET.encode(),
    "data": {SECRET: object()},
    "born": datetime(1987, 6, 5, tzinfo=UTC),
    "balance": 98765.4321,
    "photo": bytearray(SECRET.encode()),
}


@pytest.mark.proof(CLAIM)
@pytest.mark.parametrize("name", WRONG_TYPES)
def test_values_of_another_type_are_refused_and_not_shown(name: str, tried: Tried) -> None:
    error = failure_of_saving(lambda: unsaved_person(**{name: WRONG_TYPES[name]}))

    assert isinstance(error, TypeError)
    shown = report_of(error)
    assert not [form for form in (SECRET, "471108154242", "98765.4321") if form in shown]
    assert not Person.objects.exists()
    tried.case()


@pytest.mark.proof(REPORTS)
@pytest.mark.parametrize("is_debug", [True, False])
@pytest.mark.parametrize("way", BAD)
def test_a_report_of_a_failed_read_shows_no_secret(
    way: str,
    is_debug: bool,  # noqa: FBT001
    settings: Settings,
    tried: Tried,
) -> None:
    settings.DEBUG = is_debug
    change, _ = BAD[way]
    row = person(**FIELDS)
    raw = keyring.current(subject(row.subject_id)).raw
    good = cell(Person, "name", row.pk)
    bad = change(good)
    write_cell(Person, "name", row.pk, bad)

    shown = report_of(failure_of(row.pk, "name"))

    assert "failure_of" in shown
    assert str(row.pk) in shown
    secrets = [good[21:], bad[21:], raw, SECRET.encode()]
    found = [form for secret in secrets if secret for form in forms_of(secret) if form in shown]
    assert not found
    tried.case()


@pytest.mark.proof(REPORTS)
def test_a_report_of_a_value_that_does_not_fit_shows_none(tried: Tried) -> None:
    for name, text in (("balance", SECRET), ("born", SECRET), ("data", SECRET), ("note", None)):
        row = person(**{**FIELDS, "email": None})
        plaintext = b"\xff" + SECRET.encode() if text is None else SECRET.encode()
        field = cast("AnySealedField", Person._meta.get_field(name))
        owner = subject(row.subject_id)
        if name == "note":
            owner = type(owner)(field.owner_kind, row.organisation_id)
        handle = keyring.for_sealing(owner)
        sealed = envelope.seal(
            handle.cipher,
            header=handle.header,
            label=field.label_part,
            row=row.pk.bytes,
            plaintext=plaintext,
        )
        write_cell(Person, name, row.pk, sealed)

        error = failure_of(row.pk, name)

        assert type(error) is Unreadable
        assert error.reason_code == "encryption.unfit"
        shown = report_of(error)
        assert not [form for form in (SECRET, *forms_of(plaintext)) if form in shown]
        tried.case()


@pytest.mark.proof(REPORTS)
def test_reports_of_failed_writes_show_no_secret(tried: Tried) -> None:
    gone = uuid4()
    person(subject_id=gone)
    erase(subject(gone))
    person(email=FIELDS["email"])
    fresh = {**FIELDS, "email": None}
    failures = (
        (Erased, lambda: unsaved_person(**fresh, subject_id=gone)),
        (ValueError, lambda: unsaved_person(**fresh, subject_id=None)),
        (IntegrityError, lambda: unsaved_person(**FIELDS)),
    )
    for expected, make in failures:
        error = failure_of_saving(make)

        assert isinstance(error, expected)
        shown = report_of(error)
        assert "failure_of_saving" in shown
        secrets = (SECRET, "98765.4321", *forms_of(SECRET.encode()))
        assert not [form for form in secrets if form in shown]
        tried.case()


@pytest.mark.proof(REPORTS)
def test_the_search_finds_a_planted_secret(tried: Tried) -> None:
    def careless(opened: str, stored: bytes) -> None:
        raise ValueError(len(opened) + len(stored))

    row = person(name=SECRET)
    stored = cell(Person, "name", row.pk)
    with pytest.raises(ValueError, match=r"\d+") as caught:
        careless(row.name, stored)

    shown = report_of(caught.value)
    assert SECRET in shown
    assert forms_of(stored)[0][:20] in shown.replace("&#x27;", "'")
    tried.case(2)


@pytest.mark.proof("encryption: one changed cell is one entry in the journal, not one per look")
def test_one_changed_cell_is_journalled_once(key_events: Recorded, tried: Tried) -> None:
    row, other = person(name="Ada"), person(name="Eve")
    bad = cell(Person, "name", row.pk)[:-1] + b"!"
    for pk in (row.pk, other.pk):
        write_cell(Person, "name", pk, bad)

    for _ in range(5):
        drop_keys()
        assert isinstance(failure_of(row.pk, "name"), Tampered)
        tried.case()
    assert key_events.names.count("encryption.value.tampered") == 1
    assert key_events.events[-1].details == {"label": "t.person.name", "row": str(row.pk)}

    failure_of(other.pk, "name")
    assert key_events.names.count("encryption.value.tampered") == 2
    write_cell(Person, "name", row.pk, bad + b"again")
    failure_of(row.pk, "name")
    assert key_events.names.count("encryption.value.tampered") == 3
    cache.clear()  # control: what remembers the incident is the cache
    failure_of(row.pk, "name")
    assert key_events.names.count("encryption.value.tampered") == 4


def test_without_the_cache_each_look_is_journalled(
    key_events: Recorded, settings: Settings
) -> None:
    row = person(name="Ada")
    write_cell(Person, "name", row.pk, b"\x02" * 60)
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }

    for _ in range(2):
        assert isinstance(failure_of(row.pk, "name"), Tampered)

    assert key_events.names.count("encryption.value.tampered") == 2


def test_an_error_that_has_no_place_says_none() -> None:
    assert (Placed.label, Placed.row) == ("", "")
    assert Tampered("x").label == ""
