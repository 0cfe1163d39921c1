"""Logs: one JSON object a line, with the request id and without personal data.

Only the fields named here leave the process. The text of an exception is left out, because
libraries quote values in it (a unique violation names the address that was there already); its
type and the places in our code stay.
"""

import json
import logging
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus

EXTRA_FIELDS = (
    "alias",
    "code",
    "count",
    "duration_ms",
    "interface",
    "loop",
    "method",
    "queue",
    "route",
    "status",
    "status_code",
    "task",
)
MAX_MESSAGE_CHARACTERS = 2000
MAX_FRAMES = 30

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request or task under way; empty outside of one."""
    return _request_id.get()


@contextmanager
def request_id_scope(request_id: str) -> Iterator[None]:
    """Name the request or task under way, for log lines and problem details."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


class JsonFormatter(logging.Formatter):
    """Formats a log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record)[:MAX_MESSAGE_CHARACTERS],
        }
        if current_request_id():
            line["request_id"] = current_request_id()
        line |= {
            name: _plain(value)
            for name in EXTRA_FIELDS
            if (value := getattr(record, name, None)) is not None
        }
        line |= _failure(record)
        return json.dumps(line, ensure_ascii=False)


class AnswersToProbes(logging.Filter):
    """Drops Django's line about a probe that was told "not yet".

    Such an answer is what the probe asked for, and it comes twice a second while the portal starts.
    A check that breaks has a line of its own.

    Args:
        paths: addresses that probes ask.
    """

    def __init__(self, paths: Collection[str]) -> None:
        super().__init__()
        self._paths = frozenset(paths)

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line is written."""
        is_no = getattr(record, "status_code", None) == HTTPStatus.SERVICE_UNAVAILABLE
        path = getattr(getattr(record, "request", None), "path", "")
        return not (is_no and path in self._paths)


def _message(record: logging.LogRecord) -> str:
    """Return the message without the text of an exception.

    A database quotes the failing row in it, and Celery puts it into its message.
    """
    if record.exc_info and isinstance(record.args, Mapping) and "exc" in record.args:
        return f"{record.args.get('name', record.name)} raised an error"
    return _without_address(record)


def _without_address(record: logging.LogRecord) -> str:
    """Return the message with the route in place of the address that Django puts at its end.

    An address may hold the secret of a link that is still good: a form that was not filled in
    rightly is answered with 422, which Django logs.
    """
    message = record.getMessage()
    request = getattr(record, "request", None)
    address = str(getattr(request, "path", "")).encode("unicode_escape").decode("ascii")
    if not address or not message.endswith(address):
        return message
    match = getattr(request, "resolver_match", None)
    return message.removesuffix(address) + (f"/{match.route}" if match else "no such address")


def _plain(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else type(value).__name__


def _failure(record: logging.LogRecord) -> dict[str, object]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    error_type, _, trace = record.exc_info
    frames = traceback.extract_tb(trace)[-MAX_FRAMES:]
    return {
        "exception": f"{error_type.__module__}.{error_type.__qualname__}",
        "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
