"""Celery carries the context of an entry from the process that asked to the one that works."""

from uuid import UUID

from celery.signals import before_task_publish, task_postrun, task_prerun

from audit import context
from audit.context import Context
from foundation.identifiers import parse_uuid, uuid7
from foundation.principals import system

HEADER = "gatehouse_request_id"


@before_task_publish.connect
def send_request_id(headers: dict[str, object] | None = None, **_kwargs: object) -> None:
    """Put the request id of the present context into the task's headers."""
    if headers is not None:
        headers[HEADER] = str(context.current().request_id)


@task_prerun.connect
def open_context(task: object = None, **_kwargs: object) -> None:
    """Open the context of a task: its name acts, in the request that asked for it."""
    name = getattr(task, "name", "") or "task"
    context.begin(Context(request_id=_request_id(task), channel="task", principal=system(name)))


@task_postrun.connect
def close_context(**_kwargs: object) -> None:
    """Close the context, so that the next task of this process starts with its own."""
    context.end()


def _request_id(task: object) -> UUID:
    request = getattr(task, "request", None)
    sent = getattr(request, HEADER, None) or (getattr(request, "headers", None) or {}).get(HEADER)
    return (parse_uuid(sent) if isinstance(sent, str) else None) or uuid7()
