"""Cells of pages: a value, or the word for why there is none."""

from decimal import Decimal

import pytest

from encryption.cells import Fault, cell, light_cell
from encryption.light import light_rows
from encryption.services import erase
from tests.encryption.models import Person
from tests.encryption.rules.cells import write_cell
from tests.factories.encryption import person, subject


def test_a_cell_gives_the_value_or_nothing() -> None:
    row = Person.objects.get(pk=person(note=None, balance=Decimal("1.50")).pk)

    assert (cell(row, "balance").value, cell(row, "balance").text) == (Decimal("1.50"), "1.50")
    assert (cell(row, "note").value, cell(row, "note").text) == (None, "")
    assert cell(row, "code").value == row.code


@pytest.mark.parametrize("fault", Fault)
def test_a_cell_that_cannot_be_opened_gives_its_word(fault: Fault) -> None:
    row = person(name="Ada")
    if fault is Fault.ERASED:
        erase(subject(row.subject_id))
    else:
        write_cell(Person, "name", row.pk, b"\x02" * 50)

    found = cell(Person.objects.get(pk=row.pk), "name")
    ((value,),) = light_rows(Person, "name", column="id", among=[row.pk])

    assert (found.value, found.fault, found.text) == (None, fault, str(fault.label))
    assert light_cell(Person, "name", value) == found
