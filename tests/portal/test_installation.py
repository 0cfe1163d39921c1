"""A database is marked once with what it is for, and refuses every other start."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from pytest_django import Settings

from accounts.models import User
from foundation.models import Installation
from portal.installation import ForeignInstallation, mark, wanted_kind

Kind = Installation.Kind


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def prepare(*arguments: str) -> str:
    output = StringIO()
    call_command("prepare_installation", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_database_is_marked_and_known_again(kind: Installation.Kind) -> None:
    mark(kind)
    mark(kind)

    assert Installation.objects.get().kind == kind
    assert str(Installation.objects.get()) == kind.value


@pytest.mark.parametrize(
    ("is_", "wanted", "says"),
    [
        (Kind.DEMO, Kind.PRODUCTION, "holds a demo: start it with --demo"),
        (Kind.PRODUCTION, Kind.DEMO, "holds a real installation: start it without --demo"),
        (Kind.TEST, Kind.PRODUCTION, "holds a test installation"),
        (Kind.TEST, Kind.DEMO, "holds a test installation"),
        (Kind.DEMO, Kind.TEST, "--data"),
        (Kind.PRODUCTION, Kind.TEST, "--data"),
    ],
)
def test_a_database_refuses_to_be_something_else(
    is_: Installation.Kind, wanted: Installation.Kind, says: str
) -> None:
    mark(is_)

    with pytest.raises(ForeignInstallation, match=says):
        mark(wanted)

    assert Installation.objects.get().kind == is_


def test_what_a_start_is_for_follows_its_settings(settings: Settings) -> None:
    settings.TEST_CLOCK = False
    assert wanted_kind(demo=True) == Kind.DEMO
    assert wanted_kind(demo=False) == Kind.PRODUCTION
    settings.TEST_CLOCK = True
    assert wanted_kind(demo=True) == wanted_kind(demo=False) == Kind.TEST


def test_a_demo_does_not_start_as_a_real_installation_and_the_other_way_round() -> None:
    prepare("--demo")
    people = User.objects.count()

    with pytest.raises(CommandError, match="start it with --demo"):
        prepare()
    Installation.objects.update(kind=Kind.PRODUCTION)
    with pytest.raises(CommandError, match="start it without --demo"):
        prepare("--demo")

    assert User.objects.count() == people > 0


def test_a_real_installation_gets_a_set_up_code_and_no_made_up_people() -> None:
    assert "setup-code: " in prepare()
    assert "setup-code: " not in prepare()
    assert not User.objects.exists()


def test_the_database_holds_one_mark_and_moves_no_clock_but_that_of_tests() -> None:
    mark(Kind.PRODUCTION)

    with pytest.raises(IntegrityError), transaction.atomic():
        Installation.objects.create(kind=Kind.DEMO)
    with pytest.raises(IntegrityError), transaction.atomic():
        Installation.objects.update(clock_offset_seconds=60)
    Installation.objects.update(kind=Kind.TEST, clock_offset_seconds=60)
