"""Code that changes around stored values: renamed models, and plain columns that become sealed."""

from typing import ClassVar

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps

from encryption.fields import SealedTextField
from encryption.sealed import SealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation.models import Entity
from tests.encryption.models import Person
from tests.encryption.rules.cells import cell
from tests.factories.encryption import person, unsaved_person
from tests.proofs import Tried

COUNT = 30


@isolate_apps("foundation")
def test_a_renamed_model_and_field_read_what_was_sealed_under_the_frozen_label() -> None:
    class Human(SealedMixin, Entity):
        subject_id = models.UUIDField()
        full_name = SealedTextField(
            label="t.person.name",
            owner_kind=OwnerKind.SUBJECT,
            owner="subject_id",
            db_column="name",
        )
        objects: ClassVar[SealedManager["Human"]] = SealedManager()

        class Meta:
            app_label = "foundation"
            db_table = Person._meta.db_table

        def __str__(self) -> str:
            return str(self.pk)

    row = person(name="Ada")
    human = Human.objects.get(pk=row.pk)

    assert human.full_name == "Ada"
    human.full_name = "Eve"
    human.save()
    assert Person.objects.get(pk=row.pk).name == "Eve"


def write_plainly(row: Person, text: str) -> None:
    """Write as the old release does: the plain column alone, by a statement of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Person._meta.db_table} SET code = %s WHERE id = %s",  # noqa: S608
            [text, row.pk],
        )


def backfill(size: int) -> int:
    """Seal the next rows whose sealed column lags behind the plain one."""
    lagging = [row for row in Person.objects.exclude(code=None) if row.note != row.code][:size]
    for row in lagging:
        row.note = row.code
    Person.objects.bulk_update(lagging, ["note"])
    return len(lagging)


@pytest.mark.proof("encryption: a plain column becomes a sealed one while old code writes")
def test_a_plain_column_becomes_sealed_while_old_code_writes(tried: Tried) -> None:
    rows = Person.objects.bulk_create(
        [unsaved_person(code=f"plain {n}", note=None) for n in range(COUNT)]
    )
    wanted = {row.pk: str(row.code) for row in rows}

    batches = 0
    while backfill(7):
        batches += 1
        if batches < 4:  # the old release is still running
            late = rows[batches]
            wanted[late.pk] = f"written late {batches}"
            write_plainly(late, wanted[late.pk])
    Person.objects.update(code=None)  # the column can be dropped: both agreed

    assert batches > COUNT // 7
    assert {row.pk: row.note for row in Person.objects.all()} == wanted
    assert not [pk for pk, text in wanted.items() if text.encode() in cell(Person, "note", pk)]
    tried.case(COUNT)


def test_a_sealed_field_never_reads_plain_bytes() -> None:
    row = person(note="x")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Person._meta.db_table} SET note = %s WHERE id = %s",  # noqa: S608
            [b"plain bytes", row.pk],
        )

    with pytest.raises(Exception, match=r"t\.person\.note"):
        _ = Person.objects.get(pk=row.pk).note
