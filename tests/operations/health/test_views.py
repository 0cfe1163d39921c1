import time
from collections.abc import Iterator
from threading import Event

import pytest
from django.test import Client
from pytest_django import Settings

from encryption import services as keys
from foundation.contracts.health import HealthAnswer, HealthCheck, HealthState, health_checks
from operations.health import contributions, services
from tests.servers import FreshDatabase


@pytest.fixture(autouse=True)
def no_kept_answers() -> Iterator[None]:
    """Ask each check anew."""
    services.forget()
    yield
    services.forget()


@pytest.fixture
def whole_installation(fresh_database: FreshDatabase) -> FreshDatabase:
    """Give a committed database with its first keys: checks have connections of their own."""
    keys.prepare()
    return fresh_database


@pytest.fixture
def journal_without_rights(whole_installation: FreshDatabase) -> None:
    """Take the right to write the journal from the web role."""
    installation, name = whole_installation.installation, whole_installation.servers.main
    with installation.postgres.connect(name) as superuser:
        superuser.execute("REVOKE INSERT ON audit_event FROM gatehouse_app")


def test_live_depends_on_nothing(client: Client) -> None:
    response = client.get("/health/live")

    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.usefixtures("whole_installation")
def test_ready_when_every_dependency_answers(client: Client) -> None:
    response = client.get("/health/ready")

    assert (response.status_code, response.json()) == (200, {"state": "ready"})
    assert not response.cookies


def test_startup_when_the_schema_is_that_of_the_release(client: Client) -> None:
    assert client.get("/health/startup").status_code == 200


@pytest.mark.parametrize("check", contributions.ALL, ids=lambda check: check.name)
@pytest.mark.usefixtures("whole_installation")
def test_each_dependency_is_green_on_a_whole_installation(check: HealthCheck) -> None:
    assert services.run([check])[check.name].state is HealthState.GREEN


@pytest.mark.usefixtures("journal_without_rights")
def test_not_yet_is_an_answer_and_no_line_of_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:

    answers = [client.get("/health/ready"), client.get("/no-such-page/")]

    assert [answer.status_code for answer in answers] == [503, 404]
    assert [line.message for line in caplog.records if line.name == "django.request"] == [
        "Not Found: /no-such-page/"
    ]


@pytest.mark.usefixtures("journal_without_rights")
@pytest.mark.parametrize("proxies", [["127.0.0.1/32"], []])
def test_reasons_are_shown_on_the_machine_itself_only(
    client: Client, settings: Settings, proxies: list[str]
) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "portal.example"]
    settings.TRUSTED_PROXIES = proxies

    inside = client.get("/health/ready", headers={"host": "localhost:8000"})
    forwarded = client.get(
        "/health/ready", headers={"host": "localhost", "x-forwarded-for": "203.0.113.9"}
    )
    renamed = client.get("/health/ready", headers={"host": "portal.example"})

    assert inside.status_code == forwarded.status_code == renamed.status_code == 503
    assert inside.json()["reasons"] == {
        "journal writable": "The journal cannot be written. Check the role gatehouse_app."
    }
    assert "reasons" not in forwarded.json()
    assert "reasons" not in renamed.json()


@pytest.mark.usefixtures("whole_installation")
def test_what_is_about_to_fail_is_told_on_the_machine_and_stays_ready(client: Client) -> None:
    answer = HealthAnswer(HealthState.AMBER, "old", "renew")
    check = HealthCheck("test.amber", lambda: answer, ready=True)
    health_checks._items[check.name] = check
    try:
        inside = client.get("/health/ready", headers={"host": "localhost"})
        outside = client.get("/health/ready", headers={"x-forwarded-for": "203.0.113.9"})
    finally:
        del health_checks._items[check.name]

    assert inside.json() == {"state": "ready", "warnings": {"test.amber": "old renew"}}
    assert (inside.status_code, outside.status_code) == (200, 200)
    assert outside.json() == {"state": "ready"}


def test_a_hanging_check_is_red_and_the_page_is_not_late() -> None:
    released = Event()

    def hang() -> HealthAnswer:
        released.wait(10)
        return HealthAnswer(HealthState.GREEN, "late")

    started = time.monotonic()
    answer = services.run([HealthCheck("test.hanging", hang)])["test.hanging"]
    took = time.monotonic() - started
    released.set()

    assert answer.state is HealthState.RED
    assert services.TIMEOUT_SECONDS <= took < services.TIMEOUT_SECONDS + 0.9


def test_an_answer_that_is_dropped_beside_a_slow_check_still_counts() -> None:
    green = HealthAnswer(HealthState.GREEN, "fine")

    def late() -> HealthAnswer:
        services.forget()  # as kept answers go when they grow old
        return green

    slow = HealthCheck("test.slow", late)
    quick = HealthCheck("test.quick", lambda: green)
    services.run([quick])

    answers = services.run([slow, quick])

    assert [answer.state for answer in answers.values()] == [HealthState.GREEN] * 2


def test_a_raising_check_is_red_without_the_text_of_its_error() -> None:
    def fail() -> HealthAnswer:
        raise RuntimeError("password=hunter2")

    answer = services.run([HealthCheck("test.raising", fail)])["test.raising"]

    assert answer.state is HealthState.RED
    assert "hunter2" not in answer.detail


def test_a_good_answer_is_kept_for_a_while() -> None:
    calls: list[int] = []

    def count() -> HealthAnswer:
        calls.append(1)
        return HealthAnswer(HealthState.GREEN, "fine")

    check = HealthCheck("test.counting", count)
    services.run([check])
    services.run([check])

    assert len(calls) == 1
