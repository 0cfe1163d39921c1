"""The clock of a test database moves requests, tasks and loops; no other database moves it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery.signals import task_prerun
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from foundation import clock
from foundation.models import Installation
from portal import test_clock

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock_of_the_machine() -> Iterator[None]:
    yield
    clock.set_offset(timedelta(0))


def moved() -> timedelta:
    """Return by how much the clock is moved, rounded to seconds."""
    return timedelta(seconds=round((clock.now() - clock.real_now()).total_seconds()))


def marked(kind: Installation.Kind, *, seconds: int = 0) -> None:
    Installation.objects.create(kind=kind, clock_offset_seconds=seconds)


def test_a_request_sees_the_offset_of_a_test_database(
    settings: Settings, rf: RequestFactory
) -> None:
    settings.TEST_CLOCK = True
    marked(Installation.Kind.TEST, seconds=3600)
    seen: list[timedelta] = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(moved())
        return HttpResponse()

    test_clock.TestClock(view)(rf.get("/"))

    assert seen == [HOUR]


def test_the_offset_is_read_anew_each_time(settings: Settings) -> None:
    settings.TEST_CLOCK = True
    marked(Installation.Kind.TEST, seconds=3600)
    test_clock.refresh()
    Installation.objects.update(clock_offset_seconds=-7200)

    test_clock.refresh()

    assert moved() == -2 * HOUR


def test_a_task_sees_the_offset(settings: Settings) -> None:
    settings.TEST_CLOCK = True
    marked(Installation.Kind.TEST, seconds=3600)

    task_prerun.send(sender=None, task_id="1", task=None)

    assert moved() == HOUR


@pytest.mark.parametrize("kind", [Installation.Kind.PRODUCTION, Installation.Kind.DEMO])
def test_another_database_moves_nothing(settings: Settings, kind: Installation.Kind) -> None:
    settings.TEST_CLOCK = True
    marked(kind)
    clock.set_offset(HOUR)

    test_clock.refresh()

    assert moved() == timedelta(0)


def test_without_the_setting_nothing_is_read(settings: Settings) -> None:
    settings.TEST_CLOCK = False
    marked(Installation.Kind.TEST, seconds=3600)

    test_clock.refresh()

    assert moved() == timedelta(0)
