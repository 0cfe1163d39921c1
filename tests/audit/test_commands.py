from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from audit import reference
from audit.alerts import channels


def test_the_command_sets_where_alerts_go() -> None:
    call_command("alert_channel", "soc@example.test", "night@example.test", "--language", "de")

    assert channels.operator_addresses() == ("soc@example.test", "night@example.test")


def test_the_command_refuses_what_is_no_address() -> None:
    with pytest.raises(CommandError, match="no e-mail address"):
        call_command("alert_channel", "nobody")


def test_the_reference_page_of_events_is_that_of_the_code() -> None:
    lines = reference.text().splitlines()

    assert [line for line in lines if "| `audit.test." not in line] == (
        reference.page().read_text(encoding="utf-8").splitlines()
    ), "run manage.py event_reference"


def test_the_command_writes_the_reference_page(tmp_path: Path, settings: Settings) -> None:
    settings.BASE_DIR = tmp_path
    reference.page().parent.mkdir(parents=True)
    assert reference.is_stale()

    call_command("event_reference")

    assert not reference.is_stale()
