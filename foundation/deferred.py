"""Work done later: tasks registered by name, and the hint that sends one after commit.

A hint is not delivery: the process may die between the commit and the send. A row says what is
due, and a loop finds rows that were forgotten (architecture.md 2).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from celery import current_app, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from foundation.registry import Registry

logger = logging.getLogger(__name__)

Run = TypeVar("Run", bound=Callable[..., None])

QUEUES = ("alerts", "mail", "integrations", "bulk", "default")


@dataclass(frozen=True, slots=True)
class TaskDeclaration:
    """A task as the record of processing names it.

    Attributes:
        name: dotted name that ``defer`` is called with.
        queue: one of ``QUEUES``.
        purpose: what the task is for, in words.
    """

    name: str
    queue: str
    purpose: str


tasks: Registry[TaskDeclaration] = Registry("tasks", key=lambda task: task.name)


def task(name: str, *, purpose: str, queue: str = "default") -> Callable[[Run], Run]:
    """Register a function that takes ids as a Celery task.

    It is acknowledged late, so it may run twice: it claims its row and does nothing the second
    time.
    """
    tasks.register(TaskDeclaration(name=name, queue=queue, purpose=purpose))

    def decorate(run: Run) -> Run:
        shared_task(name=name, ignore_result=True)(run)  # the queue is named by who sends it
        return run

    return decorate


def defer(name: str, **ids: str | UUID | int) -> None:
    """Send a task by name once the present transaction is committed.

    Args:
        name: a registered task.
        **ids: identifiers only, never content.

    Raises:
        KeyError: no such task is registered.
    """
    declaration = tasks.get(name)
    arguments = {key: str(value) for key, value in ids.items()}
    transaction.on_commit(lambda: _send(declaration, arguments), robust=True)


def _send(declaration: TaskDeclaration, arguments: dict[str, str]) -> None:
    try:
        current_app.send_task(declaration.name, kwargs=arguments, queue=declaration.queue)
    except (OperationalError, OSError):
        # The row stays due and the sweep finds it: the broker may be away (detection.md 7).
        logger.warning("broker does not answer", extra={"task": declaration.name})
