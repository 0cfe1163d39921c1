import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connections

from audit.cursors import Position, below_horizon, horizon_lag_seconds
from audit.models import Cursor
from audit.readers import Reader, readers
from audit.reading import advance, run_readers
from tests.audit.conftest import Connect, insert

WAIT_SECONDS = 30.0

FIRST = ("test.row", "first")
SECOND = ("test.row", "second")


class Naive:
    """What ``id > last`` sees: the reader this design replaces."""

    def __init__(self) -> None:
        self.last = 0
        self.seen: list[str] = []

    def read(self) -> None:
        """Read on."""
        with connections["journal_read"].cursor() as cursor:
            cursor.execute(
                "SELECT seq, target_id FROM audit_event WHERE seq > %s ORDER BY seq", [self.last]
            )
            for seq, target in cursor.fetchall():
                self.last = seq
                self.seen.append(target)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for the horizon, which transactions of any database in the cluster hold."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read_until(reader: Reader, condition: Callable[[], bool]) -> None:
    """Read on until a condition holds."""

    def read() -> bool:
        advance(reader)
        return condition()

    wait_until(read)


def test_a_slow_transaction_is_not_skipped_as_id_greater_than_would(connect: Connect) -> None:
    slow, quick = connect("gatehouse_app"), connect("gatehouse_app")
    seen: list[str] = []
    reader = _collecting(seen)
    naive = Naive()
    slow.execute("BEGIN")
    insert(slow, target=FIRST)
    insert(quick, target=SECOND)

    advance(reader)
    naive.read()
    slow.execute("COMMIT")
    read_until(reader, lambda: len(seen) == 2)
    naive.read()

    assert seen == ["first", "second"]
    assert naive.seen == ["second"]


def test_many_interleaved_transactions_are_read_once_each_and_in_order(connect: Connect) -> None:
    writers = [connect("gatehouse_app") for _ in range(6)]
    seen: list[str] = []
    reader, naive = _collecting(seen), Naive()
    for turn in range(12):
        for number, writer in enumerate(writers):
            if writer.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                writer.execute("BEGIN")
            insert(writer, target=("test.row", f"{turn}-{number}"))
            if (turn + number) % 3 == 0:
                writer.execute("COMMIT")
            advance(reader)
            naive.read()
    for writer in writers:
        writer.execute("COMMIT")
    read_until(reader, lambda: len(seen) >= 72)
    naive.read()

    assert len(seen) == len(set(seen)) == 72
    assert len(set(naive.seen)) < 72
    assert seen == _committed_order()


def test_rolled_back_entries_are_never_read_and_their_gaps_stop_nothing(connect: Connect) -> None:
    app = connect("gatehouse_app")
    seen: list[str] = []
    app.execute("BEGIN")
    insert(app, target=FIRST)
    app.execute("ROLLBACK")
    insert(app, target=SECOND)

    read_until(_collecting(seen), lambda: bool(seen))

    assert seen == ["second"]


def test_an_open_transaction_holds_the_horizon_and_the_lag_says_so(connect: Connect) -> None:
    slow = connect("gatehouse_app")
    slow.execute("BEGIN")
    insert(slow, target=FIRST)
    insert(connect("gatehouse_app"), target=SECOND)

    assert list(below_horizon(Position(), limit=10)) == []
    assert 0 < horizon_lag_seconds() < 30
    slow.execute("ROLLBACK")
    wait_until(lambda: horizon_lag_seconds() == 0)
    assert [entry.target_id for entry in below_horizon(Position(), limit=10)] == ["second"]


def test_entries_of_an_earlier_epoch_come_first_whatever_their_transaction_ids(
    connect: Connect,
) -> None:
    insert(connect("gatehouse_app"), target=FIRST)
    root = connect("gatehouse_root")
    root.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
    root.execute("UPDATE audit_event SET xid = '9000000000000'")
    root.execute("ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_insert")
    assert list(below_horizon(Position(), limit=10)) == []

    definition = root.execute(
        "SELECT pg_get_functiondef('audit_event_before_insert'::regproc)"
    ).fetchone() or ("",)
    root.execute(str(definition[0]).replace("NEW.epoch := 1", "NEW.epoch := 2"))
    root.execute("INSERT INTO audit_epoch VALUES (2, 'other', 1, 'test', 'restored')")
    insert(connect("gatehouse_app"), target=SECOND)

    wait_until(lambda: len(below_horizon(Position(), limit=10)) == 2)
    read = below_horizon(Position(), limit=10)
    assert [(entry.epoch, entry.target_id) for entry in read] == [(1, "first"), (2, "second")]
    assert [entry.target_id for entry in below_horizon(read[0].position, limit=10)] == ["second"]


def test_a_reader_that_fails_keeps_its_place_and_stores_nothing(connect: Connect) -> None:
    insert(connect("gatehouse_app"), target=FIRST)
    broken = Reader(name="test.broken", react=_store_and_fail)
    wait_until(lambda: bool(below_horizon(Position(), limit=1)))

    with pytest.raises(RuntimeError):
        advance(broken)

    assert not Cursor.objects.filter(reader="test.result").exists()
    assert Cursor.objects.get(reader="test.broken").seq == 0


def test_a_failing_reader_says_so_and_does_not_stop_the_others(connect: Connect) -> None:
    insert(connect("gatehouse_app"), target=FIRST)
    seen: list[str] = []
    before = dict(readers._items)
    readers._items.clear()
    readers._items["a"] = Reader(name="test.broken", react=_store_and_fail)
    readers._items["b"] = _collecting(seen)
    wait_until(lambda: bool(below_horizon(Position(), limit=1)))
    try:
        run_readers()
    finally:
        readers._items.clear()
        readers._items.update(before)

    broken = Cursor.objects.get(reader="test.broken")
    assert (broken.failures, broken.last_error) == (1, "RuntimeError")
    assert seen == ["first"]


def test_the_result_and_the_place_are_stored_together(connect: Connect) -> None:
    insert(connect("gatehouse_app"), target=FIRST)
    insert(connect("gatehouse_app"), "audit.test.other", target=SECOND)
    seen: list[str] = []
    reader = _collecting(seen, types=frozenset({"audit.test.other"}), batch=1)

    wait_until(lambda: len(below_horizon(Position(), limit=2)) == 2)
    assert advance(reader) is True
    assert advance(reader) is True
    assert advance(reader) is False

    assert seen == ["second"]
    cursor = Cursor.objects.get(reader=reader.name)
    assert (cursor.seq, cursor.failures) == (2, 0)
    assert cursor.occurred_at is not None


def test_a_second_process_waits_for_the_place_instead_of_reading_twice(connect: Connect) -> None:
    insert(connect("gatehouse_app"), target=FIRST)
    seen: list[str] = []
    reader = _collecting(seen)
    Cursor.objects.create(reader=reader.name)
    wait_until(lambda: bool(below_horizon(Position(), limit=1)))
    other = connect("gatehouse_app")
    other.execute("BEGIN")
    other.execute("SELECT FROM audit_cursor WHERE reader = %s FOR UPDATE", [reader.name])
    with connections["default"].cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")

    with pytest.raises(Exception, match="lock timeout"):
        advance(reader)

    assert seen == []
    other.execute("ROLLBACK")
    read_until(reader, lambda: bool(seen))
    assert seen == ["first"]


def _collecting(seen: list[str], **options: object) -> Reader:
    def react(entries: object) -> None:
        seen.extend(str(getattr(entry, "target_id", "")) for entry in entries)  # type: ignore[attr-defined]

    settings: dict[str, object] = {"name": "test.collecting", "react": react, **options}
    return Reader(**settings)  # type: ignore[arg-type]  # a test names what it needs


def _store_and_fail(_entries: object) -> None:
    Cursor.objects.create(reader="test.result")
    raise RuntimeError


def _committed_order() -> list[str]:
    with connections["journal_read"].cursor() as cursor:
        cursor.execute("SELECT target_id FROM audit_event ORDER BY epoch, xid, seq")
        return [row[0] for row in cursor.fetchall()]
