import pytest

from workspace.records import values
from workspace.records.queries import kind_by_code


def errors_of(kind: str, **given: str) -> dict[str, str]:
    _read, errors = values.read(kind_by_code(kind), given)
    return {error.pointer: error.code for error in errors}


def test_a_correct_iban_is_stored_without_spaces_in_capitals() -> None:
    read, errors = values.read(kind_by_code("company"), {"iban": "de89 3704 0044 0532 0130 00"})

    assert read == {"iban": "DE89370400440532013000"}
    assert not errors


@pytest.mark.parametrize(
    ("iban", "code"),
    [
        ("DE88370400440532013000", "iban_checksum"),
        ("DE8937040044053201300", "iban_malformed"),
        ("XX89370400440532013000", "iban_malformed"),
        ("DE89-3704-0044", "iban_malformed"),
        ("0" * 42, "iban_malformed"),
    ],
)
def test_a_wrong_iban_is_refused_with_its_pointer(iban: str, code: str) -> None:
    assert errors_of("company", iban=iban) == {"/values/iban": code}


def test_any_two_exchanged_digits_of_an_iban_are_noticed() -> None:
    good = "DE89370400440532013000"
    swapped = [
        good[:place] + good[place + 1] + good[place] + good[place + 2 :]
        for place in range(4, len(good) - 1)
        if good[place] != good[place + 1]
    ]

    assert swapped
    assert all(values.iban(text) is None for text in swapped)


@pytest.mark.parametrize("phone", ["+49 30 1234567", "+48221234567", "+1 (212) 555-0100"])
def test_a_phone_number_with_country_code_is_taken(phone: str) -> None:
    assert errors_of("company", phone=phone) == {}


@pytest.mark.parametrize(
    "phone", ["030 1234567", "+0301234567", "+49", "+49abc1234567", "+" + "1" * 16]
)
def test_a_phone_number_of_another_form_is_refused(phone: str) -> None:
    assert errors_of("company", phone=phone) == {"/values/phone": "phone_malformed"}


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\x1bb", "line\nbreak"])
def test_control_characters_and_lone_surrogates_are_refused(text: str) -> None:
    assert errors_of("company", legal_name=text) == {"/values/legal_name": "control_character"}


def test_a_long_text_keeps_its_line_breaks() -> None:
    read, errors = values.read(kind_by_code("free_form"), {"text": "one\ntwo"})

    assert read == {"text": "one\ntwo"}
    assert not errors


def test_a_name_of_a_megabyte_is_too_long() -> None:
    assert errors_of("company", legal_name="x" * 1_000_000) == {"/values/legal_name": "too_long"}


def test_an_unknown_field_is_named_in_a_harmless_length() -> None:
    (pointer,) = errors_of("company", **{"a/b~\x00" + "x" * 1_000: "1"})

    assert pointer.startswith("/values/a~1b~0")
    assert len(pointer) < 100


@pytest.mark.parametrize("text", ["20260131", "2026-W05-6", "2026-02-30", "31.01.2026"])
def test_a_date_has_one_form(text: str) -> None:
    assert errors_of("contract", starts_on=text) == {"/values/starts_on": "date_malformed"}


def test_missing_required_fields_are_named() -> None:
    errors = values.missing(kind_by_code("company"), {"country": "DE"})

    assert [error.pointer for error in errors] == ["/values/legal_name"]
