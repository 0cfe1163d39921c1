import time
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from encryption import services as keys
from foundation.contracts.health import HealthAnswer, HealthCheck, HealthState
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


def test_not_yet_is_an_answer_and_no_line_of_the_log(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    red = HealthAnswer(HealthState.RED, "The portal starts.", "Wait.")
    monkeypatch.setattr(services, "not_ready", lambda: {"journal": red})

    answers = [client.get("/health/ready"), client.get("/no-such-page/")]

    assert [answer.status_code for answer in answers] == [503, 404]
    assert [line.message for line in caplog.records if line.name == "django.request"] == [
        "Not Found: /no-such-page/"
    ]


@pytest.mark.parametrize("proxies", [["127.0.0.1/32"], []])
def test_reasons_are_shown_on_the_machine_itself_only(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings, proxies: list[str]
) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "portal.example"]
    settings.TRUSTED_PROXIES = proxies
    red = HealthAnswer(HealthState.RED, "The cache is away.", "Start it.")
    monkeypatch.setattr(services, "not_ready", lambda: {"cache": red})

    inside = client.get("/health/ready", headers={"host": "localhost:8000"})
    forwarded = client.get(
        "/health/ready", headers={"host": "localhost", "x-forwarded-for": "203.0.113.9"}
    )
    renamed = client.get("/health/ready", headers={"host": "portal.example"})

    assert inside.status_code == forwarded.status_code == renamed.status_code == 503
    assert inside.json()["reasons"] == {"cache": "The cache is away. Start it."}
    assert "reasons" not in forwarded.json()
    assert "reasons" not in renamed.json()


def test_a_hanging_check_is_red_and_the_page_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "TIMEOUT_SECONDS", 0.2)

    def hang() -> HealthAnswer:
        time.sleep(1)
        return HealthAnswer(HealthState.GREEN, "late")

    started = time.monotonic()
    answer = services.run([HealthCheck("test.hanging", hang)])["test.hanging"]

    assert answer.state is HealthState.RED
    assert time.monotonic() - started < 0.9


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
