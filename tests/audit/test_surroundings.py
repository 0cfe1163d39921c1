"""Context of entries, key store events, housekeeping, health and personal data."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from celery import shared_task
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory

from audit import context, health, housekeeping, signals
from audit.alerts import channels
from audit.alerts.services import Occasion, raise_alert
from audit.anomaly.rules import Finding
from audit.context import Context
from audit.events import Severity
from audit.key_store import KeyStoreJournal
from audit.middleware import JournalContext, journal_net
from audit.models import Alert, AlertDelivery, Cursor, DetectionAttempt, Subject
from audit.personal_data import SOURCES
from audit.services import Target, introduce, record
from foundation import clock
from foundation.contracts.health import HealthState
from foundation.contracts.key_journal import KeyEvent
from foundation.contracts.personal_data import DataSubject
from foundation.identifiers import uuid7
from foundation.principals import VISITOR
from tests.audit.conftest import Connect
from tests.factories import audit as make
from tests.servers import FreshDatabase

CODE = make.CHANGE.code
ALICE = uuid7()


@pytest.fixture
def person() -> DataSubject:
    """Somebody about whom the journal holds a little of everything."""
    subject = uuid7()
    introduce(subject, principal_id=uuid7())
    record(make.CHANGE, principal=make.person(subject_id=subject))
    record(make.CHANGE, principal=make.person(), target=Target("person", str(subject)))
    record(make.CHANGE, principal=make.person())
    DetectionAttempt.objects.create(
        event_id=uuid7(),
        occurred_at=clock.real_now(),
        account=str(subject),
        subject_id=subject,
        net="203.0.113.0/24",
        succeeded=False,
    )
    raise_alert(
        Finding("D01", Severity.MEDIUM, str(uuid7()), subject_id=subject, tell_person=True),
        occasion=Occasion(uuid7(), clock.real_now()),
    )
    return DataSubject(user_id=uuid7(), subject_id=subject, email="")


def test_the_middleware_opens_the_context_and_closes_it() -> None:
    request = RequestFactory().get(
        "/api/v1/records",
        REMOTE_ADDR="2001:db8:1:2::9",
        HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    )
    request.request_id = uuid7()  # type: ignore[attr-defined]  # as the middleware before sets it
    request.client_request_id = "theirs"  # type: ignore[attr-defined]
    seen: list[Context] = []

    def answer(_request: object) -> HttpResponse:
        seen.append(context.current())
        return HttpResponse()

    JournalContext(answer)(request)

    (around,) = seen
    assert around.request_id == request.request_id  # type: ignore[attr-defined]
    assert (around.client_request_id, around.channel, around.how) == ("theirs", "api", "direct")
    assert (around.address, around.net) == ("2001:db8:1:2::9", "2001:db8:1::/48")
    assert around.browser == "Firefox"
    assert not context.is_open()


@pytest.mark.parametrize(
    ("address", "net"),
    [("203.0.113.7", "203.0.113.0/24"), ("::1", "::/48"), ("", "")],
)
def test_entries_show_networks_of_a_size_that_hides_the_person(address: str, net: str) -> None:
    assert journal_net(address) == net


def test_a_request_without_address_or_browser_is_recorded_too() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="")

    def answer(_request: object) -> HttpResponse:
        record(make.CHANGE, principal=VISITOR)
        return HttpResponse()

    JournalContext(answer)(request)

    entry = make.last(CODE)
    assert (entry.net, entry.actor_sealed) == (None, None)


def test_user_agents_are_cut_to_512_bytes_between_characters() -> None:
    cut = context.cut_user_agent("é" * 400)

    assert len(cut.encode()) == 512
    assert context.cut_user_agent("x" + "é" * 400).encode()[-1:] != b"\xc3"


def test_a_task_acts_in_the_request_that_asked_for_it() -> None:
    asked = uuid7()
    headers: dict[str, object] = {}
    with context.opened(Context(request_id=asked)):
        signals.send_request_id(headers=headers)

    @shared_task(name="test.echo", bind=True)
    def echo(_self: object) -> str:
        return f"{context.current().request_id} {context.current().principal.label}"

    result = echo.apply(headers={name: str(value) for name, value in headers.items()})

    assert result.get() == f"{asked} test.echo"
    assert not context.is_open()


def test_a_principal_that_becomes_known_is_put_into_the_open_context() -> None:
    alice = make.person()
    with context.opened(Context()):
        context.tell_principal(alice)
        context.tell_method("passphrase+totp")
        assert context.current().principal == alice
        record(make.CHANGE, principal=alice)
    context.tell_principal(alice)
    context.tell_method("x")

    actor = make.last(CODE).content["actor"]
    assert isinstance(actor, dict)
    assert actor["method"] == "passphrase+totp"
    assert not context.is_open()


def test_the_key_stores_events_are_written_without_personal_parts() -> None:
    with context.opened(make.surroundings()):
        KeyStoreJournal().record(KeyEvent("encryption.key.created", details={"key": "subject 1"}))

    entry = make.last("encryption.key.created")
    assert entry.content["details"] == {"facts": ["key=subject 1"]}
    assert (entry.actor_sealed, entry.net) == (None, None)


def test_key_events_wait_while_the_database_refuses_and_come_in_order(
    fresh_database: FreshDatabase,
) -> None:
    journal = KeyStoreJournal()
    with fresh_database.installation.postgres.connect(fresh_database.servers.main) as root:
        root.execute("REVOKE INSERT ON audit_event FROM gatehouse_app")
        journal.record(KeyEvent("encryption.key.lost", details={"key": "1"}))
        root.execute("GRANT INSERT ON audit_event TO gatehouse_app")

    journal.record(KeyEvent("encryption.key.lost", details={"key": "2"}))

    facts = [entry.content["details"] for entry in make.entries("encryption.key.lost")]
    assert facts == [{"facts": ["key=1"]}, {"facts": ["key=2"]}]


def test_housekeeping_makes_missing_partitions_and_forgets_old_tries(connect: Connect) -> None:
    root = connect("gatehouse_root")
    (newest,) = (
        root.execute(
            "SELECT max(relname) FROM pg_class WHERE relname ~ '^audit_event_[0-9]{6}$'"
        ).fetchone()
        or ()
    )
    root.execute(f"DROP TABLE {newest}")
    DetectionAttempt.objects.create(
        event_id=uuid7(),
        occurred_at=clock.real_now() - timedelta(days=31),
        account="x",
        succeeded=False,
    )

    assert housekeeping.step() is False

    assert root.execute("SELECT to_regclass(%s) IS NOT NULL", [newest]).fetchone() == (True,)
    assert DetectionAttempt.objects.count() == 0


@pytest.mark.usefixtures("fresh_database")
def test_health_is_green_on_a_good_journal() -> None:
    assert health.journal().state is HealthState.GREEN
    assert health.readers().state is HealthState.GREEN


def test_health_is_red_without_next_months_partition(connect: Connect) -> None:
    root = connect("gatehouse_root")
    (month,) = (
        root.execute(
            "SELECT 'audit_event_' || to_char(clock_timestamp() AT TIME ZONE 'UTC'"
            " + interval '1 month', 'YYYYMM')"
        ).fetchone()
        or ()
    )
    root.execute(f"DROP TABLE {month}")

    assert health.journal().state is HealthState.RED


def test_health_is_red_once_the_default_partition_is_used(connect: Connect) -> None:
    root = connect("gatehouse_root")
    root.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
    root.execute("SET session_replication_role = replica")
    root.execute(
        "INSERT INTO audit_event (seq, epoch, xid, db_user, occurred_at, event_id, writer, type,"
        " outcome, severity, retention, schema_ver, actor_type, body) VALUES (1, 1, '1', 'x',"
        " '2001-01-01', gen_random_uuid(), 3, 'a.b.c', 'success', 1, 'security', 1, 'db', '{}')"
    )

    assert health.journal().state is HealthState.RED


def test_health_is_red_while_a_reader_is_stuck() -> None:
    Cursor.objects.create(reader="x", failures=1, last_error="RuntimeError")

    answer = health.readers()

    assert answer.state is HealthState.RED
    assert "RuntimeError" in answer.detail


def test_health_of_alerts_follows_their_deliveries() -> None:
    assert health.alerts().state is HealthState.RED
    channels.set_addresses(["soc@example.test"], principal=make.person())
    assert health.alerts().state is HealthState.GREEN

    raise_alert(Finding("D01", Severity.HIGH, "k"), occasion=Occasion(uuid7(), clock.real_now()))
    AlertDelivery.objects.update(created_at=clock.real_now() - timedelta(minutes=2))
    assert health.alerts().state is HealthState.AMBER
    AlertDelivery.objects.update(state="dead")
    assert health.alerts().state is HealthState.RED


def test_a_person_gets_all_that_is_held_about_them(person: DataSubject) -> None:
    sections = {
        section.label: section.rows
        for source in SOURCES
        if source.handlers is not None
        for section in source.handlers.export(person)
    }

    assert {label: len(rows) for label, rows in sections.items()} == {
        "audit.entry": 2,
        "audit.attempt": 1,
        "audit.alert": 1,
    }
    assert {row["what"] for row in sections["audit.entry"]} == {"Something was tried."}


def test_erasing_a_person_deletes_what_can_go_and_says_what_stays(person: DataSubject) -> None:
    handlers = [source.handlers for source in SOURCES if source.handlers is not None]
    previews = {count.label: count for count in (item.preview(person) for item in handlers)}

    done = {count.label: count for count in (item.erase(person) for item in handlers)}

    assert done == previews
    assert done["audit.entry"].shredded == done["audit.entry"].kept == 2
    assert (done["audit.subject"].deleted, done["audit.attempt"].deleted) == (1, 1)
    assert (done["audit.alert"].kept, Alert.objects.count()) == (1, 1)
    assert not Subject.objects.filter(pk=person.subject_id).exists()
    assert not AlertDelivery.objects.filter(recipient=person.subject_id, state="due").exists()
    again = [item.erase(person) for item in handlers]
    assert [count.deleted for count in again] == [0, 0, 0, 0]


def test_entries_about_others_are_nobodys_own_history(person: DataSubject) -> None:
    with connections["journal_read"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_own_history")
        assert cursor.fetchone() == (0,)
    assert isinstance(person.subject_id, UUID)


@pytest.fixture(autouse=True)
def closed_context() -> Iterator[None]:
    """Let no context of another test remain."""
    yield
    context.end()
