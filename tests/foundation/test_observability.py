import json
import logging
import sys

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from django.utils.log import log_response

from foundation.observability import (
    AnswersToProbes,
    JsonFormatter,
    current_request_id,
    request_id_scope,
)


def line_of(record: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = json.loads(JsonFormatter().format(record))
    return found


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("test").makeRecord(
        "test", logging.WARNING, "file.py", 1, message, args, None, extra=extra
    )


def test_line_is_json_with_time_level_and_message() -> None:
    line = line_of(record("sent %s mails", 3, task="accounts.mail", status=200))

    assert (line["level"], line["message"]) == ("warning", "sent 3 mails")
    assert (line["task"], line["status"]) == ("accounts.mail", 200)
    assert str(line["time"]).endswith("+00:00")


def test_line_names_the_request_while_one_is_under_way() -> None:
    with request_id_scope("abc"):
        inside = line_of(record("x"))
    outside = line_of(record("x"))

    assert inside["request_id"] == "abc"
    assert "request_id" not in outside
    assert current_request_id() == ""


def test_fields_that_are_not_on_the_list_stay_inside() -> None:
    line = line_of(record("x", email="alice@example.test", code=object()))

    assert "alice" not in json.dumps(line)
    assert line["code"] == "object"


def test_text_of_an_exception_stays_inside_and_its_place_does_not() -> None:
    try:
        raise ValueError("alice@example.test is there already")  # noqa: TRY301
    except ValueError:
        failed = record("failed")
        failed.exc_info = sys.exc_info()

    line = line_of(failed)

    assert "alice" not in json.dumps(line)
    assert line["exception"] == "builtins.ValueError"
    assert "test_text_of_an_exception" in str(line["stack"])


def test_error_that_celery_puts_into_its_message_stays_inside() -> None:
    template = "Task %(name)s[%(id)s] %(description)s: %(exc)s"
    values = {"name": "privacy.run_export", "id": "1", "description": "raised", "exc": "alice@x.y"}
    failed = record(template, values)
    try:
        raise ValueError("alice@x.y")  # noqa: TRY301
    except ValueError:
        failed.exc_info = sys.exc_info()

    line = line_of(failed)

    assert "alice" in template % values
    assert "alice" not in json.dumps(line)
    assert line["message"] == "privacy.run_export raised an error"


def test_the_secret_of_a_link_stays_out_of_the_line_of_its_request(
    rf: RequestFactory, caplog: pytest.LogCaptureFixture
) -> None:
    request = rf.post("/invitations/a-secret\n-token/")
    request.resolver_match = resolve("/invitations/a-secret-token/")

    log_response("%s: %s", "Gone", request.path, response=HttpResponse(status=410), request=request)

    line = line_of(caplog.records[-1])
    assert line["message"] == "Gone: /invitations/<str:token>/"
    assert "secret" not in json.dumps(line)


def test_an_address_that_leads_nowhere_is_not_repeated(
    rf: RequestFactory, caplog: pytest.LogCaptureFixture
) -> None:
    request = rf.get("/invitation/a-secret-token")

    log_response("Not Found: %s", request.path, response=HttpResponse(status=404), request=request)

    assert line_of(caplog.records[-1])["message"] == "Not Found: no such address"


@pytest.mark.parametrize(
    ("path", "status", "is_written"),
    [("/ready", 503, False), ("/ready", 500, True), ("/records/", 503, True)],
)
def test_only_the_no_of_a_probe_is_not_written(
    rf: RequestFactory, path: str, status: int, *, is_written: bool
) -> None:
    line = record("%s", path, request=rf.get(path), status_code=status)

    assert AnswersToProbes(["/ready"]).filter(line) is is_written


@pytest.mark.parametrize("message", ["x" * 5000, "line\nbreak", '"quote"', "ünï"])
def test_any_message_stays_one_line(message: str) -> None:
    text = JsonFormatter().format(record("%s", message))

    assert "\n" not in text
    assert json.loads(text)["message"] == message[:2000]
