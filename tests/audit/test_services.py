import json

import pytest

from audit import context
from audit.services import record
from tests.factories import audit as make


def test_an_entry_holds_who_what_and_from_where(subtests: object = None) -> None:
    alice = make.person()

    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=alice, details={"note": "hello", "count": 3})

    entry = make.last("audit.test.changed")
    assert entry.actor_id == alice.subject_id
    assert entry.net == "203.0.113.0/24"
    assert entry.content["details"] == {"note": "hello", "count": 3}
    print(json.dumps(entry.content, indent=1), entry.db_user, entry.seq, entry.epoch)
