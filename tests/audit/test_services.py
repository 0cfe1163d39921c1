import hashlib
import hmac
import json
from collections.abc import Mapping
from uuid import UUID

import pytest
from django.db import DatabaseError, connections, transaction

from audit import context, reveal, sealing
from audit.errors import PurposeMissing, ReasonMissing
from audit.events import Connection, EventType, Severity
from audit.housekeeping import destroy_old_day_keys
from audit.models import AuditEvent, DayKey, Subject
from audit.services import (
    Target,
    diff,
    identifier_digest,
    is_reading,
    reading,
    record,
    snapshot,
)
from audit.types import EntryRefused
from encryption import services as keys
from encryption.services import Owner, OwnerKind
from foundation import clock
from foundation.identifiers import uuid7
from foundation.principals import VISITOR, ActorType, Principal, system
from tests.factories import audit as make
from tests.servers import FreshDatabase

CODE = make.CHANGE.code


def test_an_entry_holds_who_what_when_and_from_where() -> None:
    alice = make.person()

    with context.opened(make.surroundings()) as around:
        record(
            make.CHANGE,
            principal=alice,
            target=Target("workspace.record", "17"),
            details={"note": "hello", "count": 3},
            purpose="support",
        )

    entry = make.last(CODE)
    assert (entry.actor_type, entry.actor_id) == ("user", alice.subject_id)
    assert (entry.target_type, entry.target_id) == ("workspace.record", "17")
    assert (str(entry.net), entry.request_id) == ("203.0.113.0/24", around.request_id)
    assert entry.organisation_id == alice.organisation_id
    assert entry.content["details"] == {"note": "hello", "count": 3}
    assert entry.content["purpose"] == "support"
    assert abs((clock.real_now() - entry.occurred_at).total_seconds()) < 60


def test_the_body_and_all_clear_columns_hold_no_name_address_or_user_agent() -> None:
    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=make.person(), details={"name": "Zelda", "note": "n"})

    with connections["journal_read"].cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM audit_event e")
        text = " ".join(row[0] for row in cursor.fetchall())
    assert '"type":"audit.test.changed"' in text
    for planted in ("Alice", "alice@", "203.0.113.7", "Zelda", "rv:128"):
        assert planted not in text


def test_search_columns_are_copies_of_the_body() -> None:
    record(make.CHANGE, principal=make.person(), target=Target("a.b", "1"), outcome="denied")

    entry = make.last(CODE)
    body = entry.content
    assert body["type"] == entry.type
    assert body["outcome"] == entry.outcome == "denied"
    assert body["organisation"] == str(entry.organisation_id)
    assert body["target"] == {"type": entry.target_type, "id": entry.target_id}
    assert body["event_id"] == str(entry.event_id)


def test_the_mac_covers_body_and_sealed_parts() -> None:
    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=make.person())

    with connections["journal_read"].cursor() as cursor:
        cursor.execute(
            "SELECT event_id, body, actor_sealed, actor_key, mac, mac_key FROM audit_event"
            " WHERE type = %s",
            [CODE],
        )
        event_id, body, sealed, key, mac, number = cursor.fetchone()
    parts = [event_id.bytes, body.encode(), bytes(sealed), bytes(key), None, None]
    assert bytes(mac) == keys.mac("audit.entry", sealing.framed(parts))
    assert bytes(mac) != keys.mac("audit.entry", sealing.framed([*parts[:1], b"{}", *parts[2:]]))
    assert (number, bytes(key)) == (1, bytes(sealed)[1:9])


def test_framing_tells_absent_from_empty_and_keeps_borders() -> None:
    assert sealing.framed([None]) != sealing.framed([b""])
    assert sealing.framed([b"ab", b"c"]) != sealing.framed([b"a", b"bc"])


@pytest.mark.parametrize("hostile", ["a\0b", "\ud800", "\U0001f600" * 300, "x" * 1_000_000])
def test_hostile_text_cannot_break_the_act_it_comes_with(hostile: str) -> None:
    agent = context.cut_user_agent(hostile)

    with context.opened(make.surroundings(user_agent=agent, client_request_id=hostile[:64])):
        record(
            make.CHANGE,
            principal=make.person(label=hostile),
            reason=hostile,
            details={"note": hostile, "name": hostile},
        )

    entry = make.last(CODE)
    assert len(entry.body) < 10_000
    assert "\\u0000" not in entry.body
    assert reveal.open_parts(entry, principal=make.person(), reason="because")


@pytest.mark.parametrize(
    "details",
    [
        {"unknown": "x"},
        {"password": "x"},
        {"count": "three"},
        {"note": {"api_key": "x"}},
    ],
)
def test_details_that_are_not_declared_are_refused(details: Mapping[str, object]) -> None:
    with pytest.raises(EntryRefused):
        record(make.CHANGE, principal=make.person(), details=details)

    assert make.entries(CODE) == []


def test_a_float_is_refused_rather_than_rounded() -> None:
    with pytest.raises((EntryRefused, TypeError)):
        record(make.CHANGE, principal=make.person(), details={"note": 1.5})


def test_a_type_that_nobody_registered_is_refused() -> None:
    stray = EventType("audit.stray.seen", Severity.INFO, "x")

    with pytest.raises(EntryRefused):
        record(stray, principal=make.person())


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_a_type_that_needs_a_reason_is_refused_without_one(reason: str | None) -> None:
    needs = make.event_type("audit.test.reasoned", needs_reason=True)

    with pytest.raises(ReasonMissing):
        record(needs, principal=make.person(), reason=reason)


def test_a_type_that_needs_a_purpose_is_refused_without_one() -> None:
    needs = make.event_type("audit.test.purposeful", needs_purpose=True)

    with pytest.raises(PurposeMissing):
        record(needs, principal=make.person())


@pytest.mark.usefixtures("fresh_database")
def test_a_rolled_back_change_leaves_no_entry_but_its_attempt_stays() -> None:
    with pytest.raises(_Stopped):
        _change_and_try_then_stop()

    assert make.entries(CODE) == []
    assert len(make.entries(make.ATTEMPT.code)) == 1


def test_where_the_entry_cannot_be_written_the_act_does_not_happen(
    fresh_database: FreshDatabase,
) -> None:
    refused, done = uuid7(), uuid7()
    with fresh_database.installation.postgres.connect(fresh_database.servers.main) as root:
        root.execute("REVOKE INSERT ON audit_event FROM gatehouse_app")

    with pytest.raises(DatabaseError, match="audit_event"):
        _introduce(refused)

    assert not Subject.objects.filter(pk=refused).exists()
    with fresh_database.installation.postgres.connect(fresh_database.servers.main) as root:
        root.execute("GRANT INSERT ON audit_event TO gatehouse_app")
    _introduce(done)
    assert Subject.objects.filter(pk=done).exists()


def test_one_entry_costs_one_round_trip_once_its_keys_are_known(
    django_assert_num_queries: object,
) -> None:
    alice = make.person()
    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=alice)

        with django_assert_num_queries(1):  # type: ignore[operator]  # pytest-django's fixture
            record(make.CHANGE, principal=alice, details={"note": "x"})


def test_the_parts_open_with_both_keys() -> None:
    alice = make.person()
    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=alice, about=alice.subject_id, details={"name": "Zelda"})

    opened = {
        item.name: item.value
        for item in reveal.open_parts(make.last(CODE), principal=alice, reason="case 1")
    }
    assert opened == {
        "label": "Alice Archer <alice@example.test>",
        "address": "203.0.113.7",
        "user_agent": make.surroundings().user_agent,
        "details.name": "Zelda",
    }
    assert make.last("audit.entry.revealed").content["reason"] == "case 1"


def test_an_erased_persons_parts_are_unreadable_and_the_entry_stays() -> None:
    alice, staff = make.person(), make.person()
    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=alice, about=alice.subject_id, details={"name": "Zelda"})

    keys.erase(Owner(OwnerKind.SUBJECT, alice.subject_id or uuid7()))

    entry = make.last(CODE)
    opened = {
        item.name: item.value for item in reveal.open_parts(entry, principal=staff, reason="why")
    }
    assert opened == {"label": "erased", "subject": "erased"}
    assert entry.actor_id == alice.subject_id


def test_an_erased_person_can_still_be_the_actor_of_an_entry_without_personal_part() -> None:
    alice = make.person()
    keys.erase(Owner(OwnerKind.SUBJECT, alice.subject_id or uuid7()))

    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=alice, about=alice.subject_id, details={"name": "Zelda"})

    entry = make.last(CODE)
    assert entry.content["sealed"] == {"actor": "day"}


def test_addresses_become_unreadable_after_their_days_and_names_stay() -> None:
    alice = make.person()
    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=alice)
        record(make.CHANGE, principal=VISITOR)
    by_alice, by_visitor = make.entries(CODE)
    keys.erase(Owner.day(clock.real_now().date()))

    opened = [
        [
            (item.name, item.value)
            for item in reveal.open_parts(entry, principal=alice, reason="case")
        ]
        for entry in (by_alice, by_visitor)
    ]
    assert opened == [[("label", alice.label)], [("label", "erased")]]


def test_day_keys_past_their_time_are_destroyed_once(settings: object) -> None:
    record(make.CHANGE, principal=make.person())
    assert destroy_old_day_keys() == 0

    settings.AUDIT_DAY_KEY_DAYS = -2  # type: ignore[attr-defined]  # pytest-django's fixture

    assert destroy_old_day_keys() == 2
    assert destroy_old_day_keys() == 0
    assert keys.was_erased(Owner.day(clock.real_now().date()))
    assert DayKey.objects.count() == len(make.entries("audit.day_key.destroyed")) == 2


def test_a_partner_clients_name_is_sealed_under_its_organisation() -> None:
    paul = Principal(
        kind=ActorType.INTEGRATION, id=uuid7(), organisation_id=uuid7(), label="Paul's stock"
    )

    record(make.CHANGE, principal=paul)

    entry = make.last(CODE)
    assert (entry.actor_id, entry.content["sealed"]) == (paul.id, {"actor": "organisation"})
    assert "Paul" not in entry.body


def test_a_loop_is_named_in_clear_because_it_is_nobody() -> None:
    record(make.CHANGE, principal=system("sweeper"))

    assert make.last(CODE).content["actor"] == {"type": "system", "name": "sweeper"}


def test_personal_details_need_somebody_they_are_about() -> None:
    with pytest.raises(EntryRefused):
        record(make.CHANGE, principal=system("x"), details={"name": "Zelda"})


def test_a_list_read_on_the_record_is_one_entry_with_count_and_ids() -> None:
    rows = [
        Subject.objects.create(subject_id=uuid7(), kind="user", principal_id=uuid7())
        for _ in range(3)
    ]
    assert not is_reading()

    with reading(Subject.objects.order_by("pk"), "support", principal=make.person()) as read:
        assert is_reading()
        seen = list(read)

    (entry,) = make.entries("audit.data.read")
    details = entry.content["details"]
    assert isinstance(details, dict)
    assert details["count"] == len(seen) == 3
    assert details["ids"] == sorted(str(row.pk) for row in rows)
    assert not is_reading()


def test_nothing_is_read_on_the_record_without_a_purpose() -> None:
    row = Subject.objects.create(subject_id=uuid7(), kind="user", principal_id=uuid7())

    with pytest.raises(PurposeMissing), reading(row, "", principal=make.person()):
        pytest.fail("was read")


def test_plain_fields_show_both_values_and_personal_ones_are_sealed() -> None:
    row = Subject.objects.create(subject_id=uuid7(), kind="user", principal_id=uuid7())
    before = snapshot(row)
    row.kind = "gone"

    changes = diff(before, row)

    assert {name: change.clear for name, change in changes.items()} == {
        "kind": {"from": "user", "to": "gone"}
    }
    record(make.CHANGE, principal=make.person(), target=row, changes=changes)
    assert make.last(CODE).content["changes"] == {"kind": {"from": "user", "to": "gone"}}


def test_identifiers_are_counted_by_a_keyed_digest_whatever_their_case() -> None:
    digest = identifier_digest(" Alice@Example.test ")

    assert digest == identifier_digest("alice@example.test")
    assert digest != identifier_digest("bob@example.test")
    assert digest != hashlib.sha256(b"alice@example.test").hexdigest()[: len(digest)]
    assert hmac.compare_digest(digest, digest.lower())


def test_entries_are_neither_saved_nor_deleted_by_the_model() -> None:
    record(make.CHANGE, principal=make.person())
    entry = make.last(CODE)

    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.all().update(type="x")


def test_both_connections_are_declared_and_used() -> None:
    record(make.CHANGE, principal=make.person())
    record(make.ATTEMPT, principal=make.person())

    assert [make.last(code).writer for code in (CODE, make.ATTEMPT.code)] == [1, 2]
    assert {kind.value for kind in Connection} == {"default", "journal"}
    assert json.loads(make.last(CODE).body)["schema_ver"] == 1


class _Stopped(Exception):
    """Ends a transaction."""


@transaction.atomic
def _change_and_try_then_stop() -> None:
    record(make.CHANGE, principal=make.person())
    record(make.ATTEMPT, principal=make.person(), outcome="denied")
    raise _Stopped


@transaction.atomic
def _introduce(subject_id: UUID) -> None:
    Subject.objects.create(subject_id=subject_id, kind="user", principal_id=uuid7())
    record(make.CHANGE, principal=make.person())
