import psycopg
import pytest
from psycopg import errors

from foundation.identifiers import uuid7
from tests.audit.conftest import INSERT, Connect, insert

REFUSED = (errors.InsufficientPrivilege,)
TREE = ("audit_leaf", "audit_tile", "audit_checkpoint", "audit_anchor")
KEPT = (*TREE, "audit_epoch")


def test_the_web_role_writes_an_entry_but_cannot_read_one(connect: Connect) -> None:
    app = connect("gatehouse_app")

    insert(app)

    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("SELECT count(*) FROM audit_event")
    reader = connect("gatehouse_journal_reader")
    assert reader.execute("SELECT count(*) FROM audit_event").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET type = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
    ],
)
@pytest.mark.parametrize("role", ["gatehouse_app", "gatehouse_migrator", "gatehouse_root"])
def test_nobody_changes_or_removes_an_entry(connect: Connect, role: str, statement: str) -> None:
    insert(connect("gatehouse_app"))

    with pytest.raises(REFUSED):
        connect(role).execute(statement)

    root = connect("gatehouse_root")
    assert root.execute("SELECT type FROM audit_event").fetchall() == [("audit.test.changed",)]


@pytest.mark.parametrize("statement", ["UPDATE {} SET type = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_partitions_refuse_the_same_directly(connect: Connect, statement: str) -> None:
    insert(connect("gatehouse_app"))
    root = connect("gatehouse_root")
    (partition,) = root.execute("SELECT tableoid::regclass::text FROM audit_event").fetchone() or ()

    with pytest.raises(REFUSED):
        root.execute(statement.format(partition))

    assert str(partition).endswith("_security")


def test_the_triggers_hold_where_a_superuser_switches_ordinary_ones_off(connect: Connect) -> None:
    insert(connect("gatehouse_app"))
    root = connect("gatehouse_root")
    root.execute("SET session_replication_role = replica")

    with pytest.raises(REFUSED):
        root.execute("UPDATE audit_event SET type = 'x'")
    with pytest.raises(REFUSED):
        root.execute("TRUNCATE audit_event")


def test_an_edit_goes_through_once_the_triggers_are_off_so_they_are_what_holds(
    connect: Connect,
) -> None:
    insert(connect("gatehouse_app"))
    root = connect("gatehouse_root")

    root.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_keep")
    root.execute("UPDATE audit_event SET type = 'x'")

    assert root.execute("SELECT type FROM audit_event").fetchone() == ("x",)


def test_the_database_sets_sequence_epoch_transaction_user_and_time(connect: Connect) -> None:
    app = connect("gatehouse_app")

    app.execute(
        INSERT.replace("(event_id", "(seq, epoch, xid, db_user, occurred_at, event_id").replace(
            "VALUES (", "VALUES (999, 7, '1', 'root', date_trunc('month', clock_timestamp()), "
        ),
        [uuid7(), "audit.test.changed", None, None, None],
    )

    row = (
        connect("gatehouse_journal_reader")
        .execute(
            "SELECT seq, epoch, xid::text::bigint > 1, db_user,"
            " occurred_at > clock_timestamp() - interval '1 minute' FROM audit_event"
        )
        .fetchone()
    )
    assert row == (1, 1, True, "gatehouse_app", True)


def test_a_time_of_another_month_is_refused(connect: Connect) -> None:
    app = connect("gatehouse_app")

    with pytest.raises(psycopg.Error, match="moving row to another partition"):
        app.execute(
            INSERT.replace("(event_id", "(occurred_at, event_id").replace(
                "VALUES (", "VALUES (clock_timestamp() + interval '40 days', "
            ),
            [uuid7(), "audit.test.changed", None, None, None],
        )


def test_the_web_role_cannot_write_into_a_partition(connect: Connect) -> None:
    root = connect("gatehouse_root")
    (partition,) = (
        root.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'audit_event_%_security' LIMIT 1"
        ).fetchone()
        or ()
    )

    with pytest.raises(REFUSED):
        connect("gatehouse_app").execute(
            INSERT.replace("audit_event", str(partition)),
            [uuid7(), "audit.test.changed", None, None, None],
        )


def test_partitions_exist_three_months_ahead_and_a_default_keeps_writes_alive(
    connect: Connect,
) -> None:
    app = connect("gatehouse_app")

    assert app.execute("SELECT audit_make_partitions(3)").fetchone() == (0,)
    rows = app.execute(
        "SELECT relname FROM pg_class WHERE relname ~ '^audit_event_([0-9]{6}|default)$'"
    ).fetchall()
    assert len(rows) == 5


def test_new_partitions_get_every_trigger_for_always(connect: Connect) -> None:
    assert connect("gatehouse_app").execute("SELECT audit_make_partitions(5)").fetchone() == (2,)

    rows = (
        connect("gatehouse_root")
        .execute(
            "SELECT c.relname, count(*) FILTER (WHERE t.tgenabled = 'A'), count(*)"
            " FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid"
            " WHERE c.relname ~ '^audit_event' AND c.relkind IN ('r', 'p') GROUP BY 1"
        )
        .fetchall()
    )
    assert len(rows) == 1 + 1 + 6 * 4
    assert {(always, all_of_them) for _, always, all_of_them in rows} == {(3, 3)}


def test_only_the_retention_role_may_ask_for_a_drop_and_only_after_it_is_sealed(
    connect: Connect,
) -> None:
    root = connect("gatehouse_root")
    (partition,) = (
        root.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'audit_event_%_access' LIMIT 1"
        ).fetchone()
        or ()
    )

    with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
        connect("gatehouse_app").execute("SELECT audit_drop_partition(%s)", [partition])
    with pytest.raises(errors.InsufficientPrivilege, match="not sealed"):
        connect("gatehouse_retention").execute("SELECT audit_drop_partition(%s)", [partition])
    with pytest.raises(errors.RaiseException, match="no journal partition"):
        connect("gatehouse_retention").execute("SELECT audit_drop_partition('auth_group')")


def test_a_drop_that_stands_sealed_in_the_journal_is_done(connect: Connect) -> None:
    partition = "audit_event_" + _month(connect) + "_access"
    insert(
        connect("gatehouse_app"),
        "audit.partition.dropped",
        target=("audit.partition", partition),
    )
    sealer = connect("gatehouse_sealer")
    sealer.execute(
        "INSERT INTO audit_leaf SELECT 0, epoch, seq, occurred_at, retention,"
        " sha256('leaf') FROM audit_event"
    )
    sealer.execute(
        "INSERT INTO audit_checkpoint (size, root, epoch, horizon, note)"
        " VALUES (1, sha256('root'), 1, '1', 'note')"
    )

    connect("gatehouse_retention").execute("SELECT audit_drop_partition(%s)", [partition])

    root = connect("gatehouse_root")
    assert root.execute("SELECT to_regclass(%s)", [partition]).fetchone() == (None,)
    assert root.execute("SELECT count(*) FROM audit_event").fetchone() == (1,)


@pytest.mark.parametrize("table", KEPT)
def test_the_tree_is_append_only_too(connect: Connect, table: str) -> None:
    root = connect("gatehouse_root")

    with pytest.raises(REFUSED):
        root.execute(f"TRUNCATE {table}")


def test_the_first_epoch_names_this_cluster(connect: Connect) -> None:
    row = (
        connect("gatehouse_journal_reader")
        .execute(
            "SELECT number, system_identifier = (SELECT system_identifier::text"
            " FROM pg_control_system()) FROM audit_epoch"
        )
        .fetchone()
    )

    assert row == (1, True)


# The whole of it: role, table, and what it may do. Whatever is not listed is refused.
GRANTS = {
    ("gatehouse_app", "audit_event"): {"INSERT"},
    ("gatehouse_app", "audit_subject"): {"SELECT", "INSERT", "DELETE"},
    ("gatehouse_app", "audit_cursor"): {"SELECT", "INSERT", "UPDATE"},
    ("gatehouse_app", "audit_day_key"): {"SELECT", "INSERT"},
    ("gatehouse_app", "audit_dead_letter"): {"SELECT", "INSERT", "UPDATE"},
    ("gatehouse_app", "detection_attempt"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("gatehouse_app", "alert"): {"SELECT", "INSERT", "UPDATE"},
    ("gatehouse_app", "alert_channel"): {"SELECT", "INSERT", "UPDATE"},
    ("gatehouse_app", "alert_delivery"): {"SELECT", "INSERT", "UPDATE"},
    ("gatehouse_journal_reader", "audit_event"): {"SELECT"},
    ("gatehouse_journal_reader", "audit_own_history"): {"SELECT"},
    ("gatehouse_journal_reader", "audit_subject"): {"SELECT"},
    ("gatehouse_journal_reader", "audit_cursor"): {"SELECT"},
    ("gatehouse_journal_reader", "audit_day_key"): {"SELECT"},
    **{("gatehouse_journal_reader", table): {"SELECT"} for table in KEPT},
    ("gatehouse_sealer", "audit_event"): {"SELECT"},
    ("gatehouse_sealer", "audit_epoch"): {"SELECT"},
    **{("gatehouse_sealer", table): {"SELECT", "INSERT"} for table in TREE},
}


def test_every_grant_on_the_journal_is_on_the_list(
    connect: Connect,
) -> None:
    rows = (
        connect("gatehouse_root")
        .execute(
            "SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges"
            " WHERE table_name ~ '^(audit_|alert|detection_)'"
            " AND grantee NOT IN ('audit_owner', 'gatehouse_migrator', 'gatehouse_backup')"
        )
        .fetchall()
    )

    found: dict[tuple[str, str], set[str]] = {}
    for grantee, table, privilege in rows:
        found.setdefault((str(grantee), str(table)), set()).add(str(privilege))
    assert found == GRANTS


def test_the_backup_reads_everything_and_changes_nothing(connect: Connect) -> None:
    rows = (
        connect("gatehouse_root")
        .execute(
            "SELECT DISTINCT privilege_type FROM information_schema.table_privileges"
            " WHERE grantee = 'gatehouse_backup' AND table_name ~ '^audit_'"
        )
        .fetchall()
    )
    insert(connect("gatehouse_app"))

    assert rows == [("SELECT",)]
    assert connect("gatehouse_backup").execute("SELECT count(*) FROM audit_event").fetchone() == (
        1,
    )


def test_a_persons_history_is_empty_without_the_setting_and_own_with_it(connect: Connect) -> None:
    alice, bob = uuid7(), uuid7()
    app = connect("gatehouse_app")
    insert(app, actor=alice)
    insert(app, target=("person", str(alice)))
    insert(app, actor=bob)
    reader = connect("gatehouse_journal_reader")

    assert reader.execute("SELECT count(*) FROM audit_own_history").fetchone() == (0,)
    reader.execute("SELECT set_config('gatehouse.subject', %s, false)", [str(alice)])
    assert reader.execute("SELECT count(*) FROM audit_own_history").fetchone() == (2,)


def _month(connect: Connect) -> str:
    row = (
        connect("gatehouse_root")
        .execute("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMM')")
        .fetchone()
        or ()
    )
    return str(row[0])
