"""Cases: what is masked, what cannot be opened, keys of lists."""

import io
import json

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.core import serializers
from django.core.management import call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.personal_data.declaring import Account
from encryption.errors import Erased, KeyLost, Tampered
from encryption.key_tables import DataKey
from encryption.keyring import CAPACITY, keyring
from encryption.plans import sealed_fields
from encryption.services import drop_keys, erase
from foundation.contracts.personal_data import DataSubject
from tests.encryption.models import Person
from tests.encryption.rules.cases import CANARY, Given, case, read, refused
from tests.encryption.rules.cells import cell, write_cell
from tests.encryption.rules.rules import Rule
from tests.factories import accounts as people
from tests.factories.encryption import person, subject, unsaved_person


@case(Rule.VALUES)
def _(_given: Given) -> None:
    person(name=CANARY)
    ((_, value),) = Person.objects.values("name").get().items()

    assert repr(value) == "<Sealed>"
    with refused(TypeError):
        json.dumps(value)


@case(Rule.VALUES_LIST)
def _(_given: Given) -> None:
    person(name=CANARY)

    assert repr(Person.objects.values_list("name", flat=True)[0]) == "<Sealed>"
    assert repr(Person.objects.values_list("name", named=True)[0]) == "Row(name=<Sealed>)"


@case(Rule.SERIALISERS)
def _(_given: Given) -> None:
    row = person(name=CANARY)

    for kind in ("json", "python", "xml", "jsonl"):
        for found in (row, read(row), unsaved_person(name=CANARY)):
            with refused(TypeError, "not serialised"):
                serializers.serialize(kind, [found])
    assert CANARY not in str(Person._meta.get_field("name").value_from_object(unsaved_person()))


@case(Rule.DUMPDATA)
def _(given: Given) -> None:
    user = people.user(name=CANARY)
    dump = given.folder / "dump.json"
    written = io.StringIO()
    call_command("dumpdata", "accounts.User", pks=str(user.pk), stdout=written)
    dump.write_text(written.getvalue(), encoding="utf-8")
    before = cell(User, "display_name", user.pk)
    User.objects.filter(pk=user.pk).update(display_name=None)
    call_command("loaddata", str(dump), verbosity=0)  # onto the row that stands
    updated = cell(User, "display_name", user.pk)
    User.objects.filter(pk=user.pk).delete()
    call_command("loaddata", str(dump), verbosity=0)  # as a new row

    assert CANARY not in written.getvalue()
    assert before == updated == cell(User, "display_name", user.pk)
    assert User.objects.get(pk=user.pk).display_name == CANARY
    dump.write_text(written.getvalue().replace("sealed:", ""), encoding="utf-8")
    with refused(TypeError, "accounts.user.display_name"):
        call_command("loaddata", str(dump), verbosity=0)


@case(Rule.ADMIN_LOG)
def _(_given: Given) -> None:
    user = people.user(name=CANARY)
    user.display_name = f"{CANARY}!"
    message = [{"changed": {"fields": ["display name"]}}]
    LogEntry.objects.log_actions(user.pk, [user], CHANGE, change_message=message)

    line = LogEntry.objects.latest("action_time")
    assert CANARY not in f"{line.object_repr} {line.change_message} {line}"
    tried = 0
    for model in apps.get_models():
        for field in sealed_fields(model):
            tried += 1
            row = model(**{field.attname: CANARY})
            assert CANARY not in f"{row!s} {row!r} {row.__dict__!r}"
    assert tried >= 9


@case(Rule.EXPORTS)
def _(_given: Given) -> None:
    user = people.user(name=CANARY)
    (section,) = Account().export(DataSubject(user.pk, user.subject_id, user.email))

    assert section.rows[0]["display_name"] == CANARY
    write_cell(User, "display_name", user.pk, b"\x02" * 60)
    (section,) = Account().export(DataSubject(user.pk, user.subject_id, user.email))
    assert section.rows[0]["display_name"] == "unreadable"


@case(Rule.ERASED)
def _(_given: Given) -> None:
    row = person(name=CANARY, note="ours")
    erase(subject(row.subject_id))

    with refused(Erased, "t.person.name", str(row.pk)):
        _ = read(row).name
    with pytest.raises(Erased):
        person(name=CANARY, subject_id=row.subject_id)
    assert read(row).note == "ours"


@case(Rule.KEY_LOST)
def _(_given: Given) -> None:
    row = person(name=CANARY, note="ours")
    DataKey.objects.filter(owner_id=row.subject_id).delete()
    drop_keys()

    with refused(KeyLost, "t.person.name", str(row.pk)):
        _ = read(row).name
    assert read(row).note == "ours"


@case(Rule.TAMPERED)
def _(_given: Given) -> None:
    row = person(name=CANARY)
    value = cell(Person, "name", row.pk)
    write_cell(Person, "name", row.pk, value[:-1] + bytes([value[-1] ^ 1]))

    with refused(Tampered, "t.person.name", str(row.pk)):
        _ = read(row).name
    write_cell(Person, "name", row.pk, value)
    assert read(row).name == CANARY  # control


@case(Rule.PRELOAD)
def _(_given: Given) -> None:
    Person.objects.bulk_create([unsaved_person() for _ in range(9)])
    drop_keys()
    _ = person().name  # the key-encryption key is there

    with CaptureQueriesContext(connections["keys"]) as found:
        assert len({row.name for row in Person.objects.all()}) == 10
    assert len(found.captured_queries) == 1


@case(Rule.CAPACITY)
def _(_given: Given) -> None:
    assert CAPACITY == 20_000
    assert keyring._capacity == CAPACITY
