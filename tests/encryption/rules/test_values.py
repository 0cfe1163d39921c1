"""Every kind of field gives back exactly what was stored, at the edges too."""

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pytest

from encryption.services import drop_keys
from tests.encryption.models import Person
from tests.encryption.rules.cells import cell
from tests.factories.encryption import person
from tests.proofs import Tried

if TYPE_CHECKING:
    from encryption.fields import AnySealedField

VALUES: dict[str, tuple[str, object]] = {
    "empty text": ("name", ""),
    "NUL": ("name", "a\x00b\x00"),
    "emoji": ("name", "\U0001f469\u200d\U0001f680 \U0001f600"),
    "combining marks, not normalised": ("name", "e\u0301 \u00e9"),
    "a text of 1 MiB": ("name", "\u017c" * 524_288),
    "spaces and line ends": ("note", " \t\r\n\u2028\ufeff "),
    "what looks like a sealed value": ("note", "<Sealed>"),
    "what looks like a dump": ("note", "sealed:AAAA"),
    "an address in Unicode": ("email", "zo\u00eb@b\u00fccher.example"),
    "JSON null inside": ("data", [None]),
    "an empty object": ("data", {}),
    "an integer of 4,000 digits": ("data", {"n": 10**4000 - 1}),
    "a negative zero": ("data", [-0.0, 0.0, 1e-320, 1.7976931348623157e308]),
    "true and one": ("data", [True, 1, 1.0, "1", "true", False, 0]),
    "names that differ in a mark": ("data", {"\u00e9": 1, "e\u0301": 2, "": 3, "\x00": 4}),
    "deep JSON": ("data", json.loads("[" * 200 + "]" * 200)),
    "the first day": ("born", date.min),
    "the last day": ("born", date.max),
    "a leap day": ("born", date(2024, 2, 29)),
    "a positive exponent": ("balance", Decimal("1E+3")),
    "a negative exponent": ("balance", Decimal("-1.50E-30")),
    "a decimal's negative zero": ("balance", Decimal("-0.00")),
    "zeros behind the point": ("balance", Decimal("12.3400")),
    "60 digits": ("balance", Decimal("1" * 59 + ".5")),
    "a large exponent": ("balance", Decimal("1E+999999")),
    "no bytes": ("photo", b""),
    "all bytes": ("photo", bytes(range(256))),
    "bytes like a sealed value": ("photo", b"\x01" + bytes(60)),
    "1 MiB of bytes": ("photo", b"\xff\x00" * 524_288),
}


def exactly(value: object) -> object:
    """Return a form in which values that only look equal differ."""
    if isinstance(value, Decimal):
        return value.as_tuple()
    return json.dumps(value) if isinstance(value, dict | list) else (type(value), value)


@pytest.mark.proof("encryption: every kind of field gives back exactly what was stored")
@pytest.mark.parametrize("what", VALUES)
def test_a_value_comes_back_exactly(what: str, tried: Tried) -> None:
    name, value = VALUES[what]
    row = person(**{name: value})
    field = cast("AnySealedField", Person._meta.get_field(name))
    drop_keys()

    found = getattr(Person.objects.get(pk=row.pk), name)

    if isinstance(value, dict):
        assert sorted(found) == sorted(value)
    else:
        assert exactly(found) == exactly(value)
    assert found == value
    assert len(cell(Person, name, row.pk)) == 37 + len(field.encode(value))
    tried.case()


@pytest.mark.proof("encryption: every kind of field gives back exactly what was stored")
def test_json_of_another_writer_with_a_name_twice_gives_the_last(tried: Tried) -> None:
    field = cast("AnySealedField", Person._meta.get_field("data"))

    assert field.decode(b'{"a":1,"a":2}') == {"a": 2}
    assert field.encode({"a": 2}) == b'{"a":2}'  # what is written has each name once
    tried.case()


def test_a_context_of_decimals_changes_no_digit() -> None:
    value = Decimal("1." + "1" * 50)
    row = person(balance=value)

    assert Person.objects.get(pk=row.pk).balance == value
