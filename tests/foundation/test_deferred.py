import logging
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from foundation.deferred import QUEUES, defer, tasks
from foundation.identifiers import uuid7

Sent = tuple[str, dict[str, str]]
Received = Callable[[], list[Sent]]


@pytest.fixture
def received() -> Iterator[Received]:
    """Give what lies in the queue of the first task, taken out of the real broker."""
    with current_app.connection_for_read() as broker:
        queue = broker.SimpleQueue(tasks.all()[0].queue)

        def take() -> list[Sent]:
            found: list[Sent] = []
            with suppress(queue.Empty):
                while True:
                    message = queue.get_nowait()
                    message.ack()
                    found.append((str(message.headers["task"]), dict(message.payload[1])))
            return found

        take()
        yield take
        queue.close()


def a_task() -> str:
    return tasks.all()[0].name


def test_a_task_is_sent_with_its_ids_to_its_queue_once_the_change_is_committed(
    received: Received, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    row = uuid7()

    with django_capture_on_commit_callbacks(execute=True):
        defer(a_task(), row_id=row)
        before = received()

    assert before == []
    assert received() == [(a_task(), {"row_id": str(row)})]


def test_nothing_is_sent_for_a_change_that_is_rolled_back(
    received: Received, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        defer(a_task())
        transaction.set_rollback(True)

    assert received() == []


def test_a_broker_that_is_away_costs_a_line_in_the_log_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(current_app, "send_task", refuse)

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        defer(a_task())

    assert "broker does not answer" in caplog.text


def test_an_unknown_task_is_a_mistake_at_once() -> None:
    with pytest.raises(KeyError):
        defer("nobody.knows")


def test_every_task_has_a_known_queue_and_a_purpose() -> None:
    assert len(tasks) > 0
    assert {task.queue for task in tasks} <= set(QUEUES)
    assert all(len(task.purpose) > 10 for task in tasks)
