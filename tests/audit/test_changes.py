import hashlib
import json

import pytest
from django.db import connections

from accounts.models import User
from audit import reveal
from audit.changes import class_of
from audit.models import AlertChannel, Subject
from audit.services import diff, record, snapshot
from audit.types import EntryRefused
from foundation.contracts.personal_data import FieldClass
from foundation.identifiers import uuid7
from tests.factories import accounts
from tests.factories import audit as make

CODE = make.CHANGE.code


def changed_user() -> tuple[User, User]:
    """Return a person before and after a change of every class of field."""
    user = User.objects.get(pk=accounts.user(name="Zelda Zonk").pk)
    before = snapshot(user)
    user.display_name = "Yves Yonder"
    user.email = "planted@example.test"
    user.set_password("a planted passphrase")
    return before, user


def test_no_personal_sealed_or_secret_value_stands_in_the_clear_part() -> None:
    before, after = changed_user()

    changes = diff(before, after)

    clear = json.dumps({name: dict(change.clear) for name, change in changes.items()})
    for planted in ("Zelda", "Yves", "planted", before.email, after.password):
        assert planted not in clear
    assert set(changes) == {"display_name", "email", "password"}
    assert changes["password"].clear == {"changed": True}
    assert not changes["password"].personal


def test_a_sealed_field_leaves_fingerprints_that_tell_equal_from_different() -> None:
    before, after = changed_user()
    first = diff(before, after)["display_name"]
    before.display_name = "Yves Yonder"
    after.display_name = "Zelda Zonk"

    second = diff(before, after)["display_name"]

    assert first.clear["from"] == second.clear["to"]
    assert first.clear["to"] == second.clear["from"]
    assert str(first.clear["from"]).startswith("fp1:")
    assert len(str(first.clear["from"])) == len("fp1:") + 16
    assert not first.personal


def test_after_a_save_the_digest_of_the_stored_bytes_is_kept() -> None:
    before, after = changed_user()
    assert "stored" not in diff(before, after)["display_name"].clear

    after.save()

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT display_name FROM accounts_user WHERE id = %s", [after.pk])
        (stored,) = cursor.fetchone()
    change = diff(before, after)["display_name"]
    assert change.clear["stored"] == hashlib.sha256(bytes(stored)).hexdigest()


def test_the_same_value_of_two_people_leaves_two_fingerprints() -> None:
    one, two = accounts.user(name="Zelda"), accounts.user(name="Zelda")
    changed = []
    for user in (one, two):
        before = snapshot(user)
        user.display_name = "Yves"
        changed.append(diff(before, user)["display_name"].clear["from"])

    assert changed[0] != changed[1]


def test_personal_values_are_sealed_under_the_persons_key_and_open_again() -> None:
    before, after = changed_user()

    record(make.CHANGE, principal=make.person(), target=after, changes=diff(before, after))

    entry = make.last(CODE)
    assert "planted@" not in entry.body
    opened = {
        item.name: item.value
        for item in reveal.open_parts(entry, principal=make.person(), reason="case")
    }
    assert opened["changes.email.to"] == "planted@example.test"
    assert entry.target_id == str(after.subject_id)


def test_creation_and_deletion_show_one_side_only() -> None:
    row = Subject(subject_id=uuid7(), kind="user", principal_id=uuid7())

    assert diff(None, row)["kind"].clear == {"from": None, "to": "user"}
    assert diff(row, None)["kind"].clear == {"from": "user", "to": None}


def test_an_unchanged_object_has_no_changes() -> None:
    user = accounts.user()

    assert diff(snapshot(user), user) == {}


def test_a_column_that_nobody_classified_counts_as_personal() -> None:
    assert class_of(Subject, "kind") is FieldClass.NONE
    assert class_of(Subject, "unheard_of") is FieldClass.CONTENT


@pytest.mark.parametrize(("before", "after"), [(None, None), (AlertChannel(), Subject())])
def test_only_two_states_of_one_kind_compare(before: object, after: object) -> None:
    with pytest.raises(EntryRefused):
        diff(before, after)  # type: ignore[arg-type]  # wrong on purpose
