"""The test of a key: a real call to a real HTTPS server, carried out by the task."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from audit.models import AuditEvent
from encryption.services import drop_keys
from foundation import clock
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from integrations.vault import services
from integrations.vault.models import Credential, HealthResult
from integrations.vault.reasons import reason_of
from integrations.vault.services import testing
from integrations.vault.tasks import run_credential_test
from integrations.vault.types import CredentialState, ResultState, ResultView
from tests.factories import records as people
from tests.factories import vault as make
from tests.fakes.https import HttpsServer, Received, Reply, https_server
from tests.servers import FreshDatabase


def needs_key(request: Received) -> Reply:
    given = {name.lower(): value for name, value in request.headers.items()}
    if given.get(make.HEADER.lower()) == make.KEY:
        return Reply(body=f'{{"hello": "{make.KEY}"}}'.encode())
    return Reply(status=401, body=b"who are you?")


@pytest.fixture
def target() -> Iterator[HttpsServer]:
    with https_server(needs_key) as server:
        yield server


@pytest.fixture
def alice() -> Principal:
    return people.member(people.organisation(), role="administrator")


@pytest.fixture
def allowed(target: HttpsServer, settings: Settings, tmp_path: Path) -> HttpsServer:
    """Let the vault reach the target by the operator's exception."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text(target.ca, encoding="ascii")
    settings.OUTBOUND_PRIVATE_TARGETS = [f"credential|localhost:{target.port}|{bundle}"]
    return target


def credential_for(alice: Principal, server: HttpsServer, **given: object) -> Credential:
    return make.credential(alice, hosts=("localhost",), probe_url=server.url("/me"), **given)


def carried_out(credential: Credential, alice: Principal) -> ResultView:
    """Ask for a test, let the task carry it out, and look at the result."""
    with organisation_scope(credential.organisation_id):
        result_id = services.request_test(credential.pk, principal=alice)
    run_credential_test(organisation_id=str(credential.organisation_id), result_id=str(result_id))
    return looked_at(credential, result_id, alice)


def looked_at(credential: Credential, result_id: UUID, alice: Principal) -> ResultView:
    with organisation_scope(credential.organisation_id):
        return services.result_of_test(credential.pk, result_id, principal=alice)


def row_of(credential: Credential, result_id: UUID) -> HealthResult:
    with organisation_scope(credential.organisation_id):
        return HealthResult.objects.get(pk=result_id)


def asked_for(alice: Principal, **values: object) -> tuple[Credential, UUID]:
    """Ask for a test of a new credential, and let its row be as given."""
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        result_id = services.request_test(credential.pk, principal=alice)
        HealthResult.objects.filter(pk=result_id).update(**values)
    return credential, result_id


def died(credential: Credential, alice: Principal) -> UUID:
    """Ask for a test, let a worker take it and let the time of its claim pass."""
    with organisation_scope(credential.organisation_id):
        result_id = services.request_test(credential.pk, principal=alice)
    die(credential, result_id)
    return result_id


def die(credential: Credential, result_id: UUID, *, takes: bool = True) -> None:
    """Let a worker die: the claim that it took, or has, ran out."""
    with organisation_scope(credential.organisation_id):
        if takes:
            assert testing._claimed(result_id) is not None
        HealthResult.objects.filter(pk=result_id).update(
            claimed_until=clock.now() - timedelta(seconds=1)
        )


def worker_with(
    database: FreshDatabase, credential: Credential, result_id: UUID, targets: str
) -> "subprocess.Popen[bytes]":
    """Start a process that carries out a test."""
    program = (
        "import django, uuid; django.setup(); "
        "from integrations.vault.services import run_test; "
        f"run_test(uuid.UUID('{credential.organisation_id}'), uuid.UUID('{result_id}'))"
    )
    environment = {**os.environ, **database.environment, "OUTBOUND_PRIVATE_TARGETS": targets}
    return subprocess.Popen([sys.executable, "-c", program], env=environment)


def state_of(credential: Credential) -> str:
    with organisation_scope(credential.organisation_id):
        return Credential.objects.get(pk=credential.pk).state


def test_a_good_key_passes_and_the_target_has_received_it(
    alice: Principal, allowed: HttpsServer
) -> None:
    credential = credential_for(alice, allowed)

    result = carried_out(credential, alice)

    assert (result.state, result.status, result.code) == (ResultState.PASSED, 200, "")
    (received,) = allowed.received
    assert received.path == "/me"
    assert received.headers[make.HEADER.lower()] == make.KEY


def test_an_echoed_key_reaches_no_caller(alice: Principal, allowed: HttpsServer) -> None:
    credential = credential_for(alice, allowed)

    with services.session(
        credential.organisation_id, credential.pk, purpose="test", principal=alice
    ) as calls:
        answer = calls.get(allowed.url("/me"))

    assert answer.status == 200
    assert make.KEY not in answer.text
    assert "[removed]" in answer.text


def test_a_bad_key_fails_with_the_status_and_marks_the_credential(
    alice: Principal, allowed: HttpsServer
) -> None:
    credential = credential_for(alice, allowed, key="not the right key")

    result = carried_out(credential, alice)

    assert (result.state, result.status, result.code) == (
        ResultState.FAILED,
        401,
        "vault.answer_refused",
    )
    assert state_of(credential) == CredentialState.FAILING


def test_a_private_address_without_exception_is_refused_with_the_reason(
    alice: Principal,
) -> None:
    credential = make.credential(alice, hosts=("localhost",), probe_url="https://localhost:8443/me")

    result = carried_out(credential, alice)

    assert result.state == ResultState.FAILED
    assert result.code == "http.address_loopback"
    assert "private network" in reason_of(result.code)
    assert state_of(credential) == CredentialState.ACTIVE


def test_a_target_of_another_authority_is_not_trusted(
    alice: Principal, allowed: HttpsServer, tmp_path: Path, settings: Settings
) -> None:
    bundle = tmp_path / "system.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\n", encoding="ascii")
    credential = credential_for(alice, allowed)
    settings.OUTBOUND_PRIVATE_TARGETS = [f"credential|localhost:{allowed.port}|{bundle}"]

    result = carried_out(credential, alice)

    assert result.code == "http.ca_bundle_invalid"
    assert not allowed.received


def test_an_exception_for_another_kind_of_interface_does_not_count(
    alice: Principal, allowed: HttpsServer, settings: Settings
) -> None:
    credential = credential_for(alice, allowed)
    settings.OUTBOUND_PRIVATE_TARGETS = [
        entry.replace("credential|", "siem_sink|") for entry in settings.OUTBOUND_PRIVATE_TARGETS
    ]

    assert carried_out(credential, alice).code == "http.port_refused"


@pytest.mark.parametrize(
    "entry", ["credential|localhost", "credential|x:y|/none", "credential|x:1|/none"]
)
def test_an_unreadable_exception_refuses_the_call_by_name(
    alice: Principal, settings: Settings, entry: str
) -> None:
    credential = make.credential(alice)
    settings.OUTBOUND_PRIVATE_TARGETS = [entry]

    assert carried_out(credential, alice).code == "vault.private_targets_unreadable"


def test_a_host_off_the_list_gets_no_call_and_no_key(
    alice: Principal, allowed: HttpsServer
) -> None:
    credential = make.credential(alice)

    with (
        pytest.raises(Exception, match="may not call that host"),
        services.session(
            credential.organisation_id, credential.pk, purpose="test", principal=alice
        ) as calls,
    ):
        calls.get(allowed.url("/me"))
    assert not allowed.dialled


def test_a_second_worker_with_the_same_row_makes_no_second_call(
    alice: Principal, allowed: HttpsServer
) -> None:
    credential = credential_for(alice, allowed)
    result = carried_out(credential, alice)

    services.run_test(credential.organisation_id, result.id)

    assert len(allowed.received) == 1


def test_the_task_gets_ids_alone(
    alice: Principal, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    credential = make.credential(alice)

    with (
        django_capture_on_commit_callbacks() as callbacks,
        organisation_scope(credential.organisation_id),
    ):
        services.request_test(credential.pk, principal=alice)

    (callback,) = callbacks
    held = repr([cell.cell_contents for cell in callback.__closure__ or ()])
    assert "integrations.vault.test_credential" in held
    assert make.KEY not in held


def test_a_lost_hint_is_sent_again_by_whoever_looks(
    alice: Principal, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        result_id = services.request_test(credential.pk, principal=alice)
        result = HealthResult.objects.get(pk=result_id)
        result.sent_at -= timedelta(seconds=11)
        result.save(update_fields=["sent_at"])

    with django_capture_on_commit_callbacks() as callbacks:
        assert looked_at(credential, result_id, alice).state == ResultState.QUEUED
        assert looked_at(credential, result_id, alice).state == ResultState.QUEUED

    assert len(callbacks) == 1


def test_a_test_that_no_worker_took_is_given_up(alice: Principal) -> None:
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        result_id = services.request_test(credential.pk, principal=alice)
        HealthResult.objects.update(
            requested_at=HealthResult.objects.get().requested_at - timedelta(minutes=4)
        )

    view = looked_at(credential, result_id, alice)

    assert (view.state, view.code) == (ResultState.FAILED, "vault.no_worker")


def test_the_sweep_tells_workers_again_of_a_test_that_nobody_took(
    alice: Principal, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    asked_for(alice, sent_at=clock.now() - timedelta(seconds=11))
    asked_for(people.member(people.organisation(), role="administrator"))

    with django_capture_on_commit_callbacks() as callbacks:
        assert testing.sweep() is False
        assert testing.sweep() is False

    assert len(callbacks) == 1


def test_the_sweep_gives_a_test_up_that_no_worker_took(alice: Principal) -> None:
    credential, result_id = asked_for(
        alice,
        requested_at=clock.now() - timedelta(minutes=4),
        sent_at=clock.now() - timedelta(minutes=4),
    )

    testing.sweep()

    view = looked_at(credential, result_id, alice)
    assert (view.state, view.code) == (ResultState.FAILED, "vault.no_worker")


def test_a_test_whose_worker_died_is_carried_out_by_the_next(
    alice: Principal,
    allowed: HttpsServer,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    credential = credential_for(alice, allowed)
    result_id = died(credential, alice)

    with django_capture_on_commit_callbacks() as callbacks:
        testing.sweep()

    assert len(callbacks) == 1
    assert row_of(credential, result_id).state == ResultState.QUEUED
    services.run_test(credential.organisation_id, result_id)
    assert row_of(credential, result_id).state == ResultState.PASSED


def test_a_test_whose_second_worker_died_too_has_failed_with_a_reason(alice: Principal) -> None:
    credential = make.credential(alice)
    result_id = died(credential, alice)
    testing.sweep()
    die(credential, result_id)

    testing.sweep()
    services.run_test(credential.organisation_id, result_id)

    view = looked_at(credential, result_id, alice)
    assert (view.state, view.code) == (ResultState.FAILED, "vault.worker_died")
    assert "stopped before the test had a result" in reason_of(view.code)
    assert view.finished_at is not None


def test_the_sweep_leaves_a_test_to_the_worker_that_has_it(
    alice: Principal, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    credential, result_id = asked_for(
        alice,
        state=ResultState.RUNNING,
        attempts=1,
        requested_at=clock.now() - timedelta(minutes=4),
        claimed_until=clock.now() + timedelta(seconds=30),
    )

    with django_capture_on_commit_callbacks() as callbacks:
        testing.sweep()
        view = looked_at(credential, result_id, alice)

    assert (view.state, callbacks) == (ResultState.RUNNING, [])


def test_a_worker_that_is_killed_in_its_call_is_found_by_the_sweep(
    fresh_database: FreshDatabase, settings: Settings, tmp_path: Path
) -> None:
    alice = people.member(people.organisation(), role="administrator")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with https_server(needs_key) as server:
            (tmp_path / "ca.pem").write_text(server.ca, encoding="ascii")
        targets = f"credential|localhost:{port}|{tmp_path / 'ca.pem'}"
        settings.OUTBOUND_PRIVATE_TARGETS = [targets]
        credential = make.credential(
            alice, hosts=("localhost",), probe_url=f"https://localhost:{port}/me"
        )
        with organisation_scope(credential.organisation_id):
            result_id = services.request_test(credential.pk, principal=alice)
        worker = worker_with(fresh_database, credential, result_id, targets)
        connection, _peer = silent.accept()
        worker.kill()
        worker.wait(10)
        connection.close()

    stuck = row_of(credential, result_id)
    assert (stuck.state, stuck.attempts) == (ResultState.RUNNING, 1)
    die(credential, result_id, takes=False)
    testing.sweep()
    assert row_of(credential, result_id).state == ResultState.QUEUED
    drop_keys()


def test_the_key_is_in_no_entry_and_no_row_after_a_failed_call(
    alice: Principal, allowed: HttpsServer
) -> None:
    credential = credential_for(alice, allowed, key=make.KEY + "-wrong")

    carried_out(credential, alice)

    for entry in AuditEvent.objects.using("journal_read").all():
        assert make.KEY not in entry.body
    for table in ("vault_credential", "vault_lease", "vault_health_result"):
        with organisation_scope(credential.organisation_id), connection.cursor() as cursor:
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")  # noqa: S608  our own names
            assert make.KEY not in str(cursor.fetchall())


def test_with_a_connection_for_each_role_a_key_works_and_stays_unread_by_the_web_role(
    fresh_database: FreshDatabase, allowed: HttpsServer
) -> None:
    alice = people.member(people.organisation(), role="administrator")
    credential = credential_for(alice, allowed)

    result = carried_out(credential, alice)

    assert result.state == ResultState.PASSED
    address = fresh_database.servers.database("gatehouse_app", name=fresh_database.servers.main)
    with psycopg.connect(address) as connection:
        setting = "SELECT set_config('gatehouse.organisation', %s, false)"
        connection.execute(setting, [str(credential.organisation_id)])
        assert connection.execute("SELECT count(id) FROM vault_credential_version").fetchone() == (
            1,
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT payload FROM vault_credential_version")


@pytest.mark.usefixtures("fresh_database")
def test_what_was_tampered_with_stays_in_the_journal_though_the_work_rolls_back() -> None:
    alice = people.member(people.organisation(), role="administrator")
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        Credential.objects.update(allowed_hosts=["evil.example"])

    result = carried_out(credential, alice)

    assert result.code == "vault.payload_foreign"
    tampered = AuditEvent.objects.using("journal_read").filter(
        type="integrations.credential.tampered"
    )
    assert tampered.count() == 1
