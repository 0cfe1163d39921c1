"""Health of the key store, and what it declares about people."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections
from pytest_django import Settings

from encryption import services
from encryption.contributions import answer_of, key_service_health, keys_database_health
from encryption.epochs import SOFT_SECONDS, KekRing
from encryption.errors import Refused
from encryption.personal_data import SOURCES
from encryption.providers.base import Health
from encryption.providers.key_file import create
from encryption.types import RingState
from foundation.contracts.health import HealthState
from foundation.contracts.personal_data import DataSubject, ErasureCount
from tests.encryption.key_services import Clock
from tests.factories.encryption import person


def test_a_working_key_store_is_green() -> None:
    services.prepare()

    assert key_service_health().state == HealthState.GREEN
    assert keys_database_health().state == HealthState.GREEN


def test_a_missing_root_key_is_red(settings: Settings, tmp_path: Path) -> None:
    settings.ROOT_KEY_FILE = tmp_path / "none"

    answer = key_service_health()

    assert answer.state == HealthState.RED
    assert "cannot be read" in answer.detail
    assert answer.cure


def test_a_wrong_root_key_is_red(settings: Settings, tmp_path: Path) -> None:
    services.prepare()
    create(tmp_path / "other.key")
    settings.ROOT_KEY_FILE = tmp_path / "other.key"
    services.drop_keys()
    with pytest.raises(Refused):
        services.mac("x", b"x")

    assert key_service_health().state == HealthState.RED


@pytest.mark.parametrize(
    ("works", "state", "colour", "words"),
    [
        (True, RingState.OK, HealthState.GREEN, "answers"),
        (True, RingState.SEALED, HealthState.GREEN, "answers"),
        (False, RingState.OK, HealthState.AMBER, "State ok"),
        (False, RingState.DEGRADED, HealthState.AMBER, "State degraded"),
        (False, RingState.SEALED, HealthState.RED, "State sealed"),
        (False, RingState.REFUSED, HealthState.RED, "State refused"),
        (True, RingState.REFUSED, HealthState.RED, "State refused"),
    ],
)
def test_each_state_is_told_in_words_with_its_cure(
    *, works: bool, state: RingState, colour: HealthState, words: str
) -> None:
    answer = answer_of(Health(works=works, problem="" if works else "no answer"), state)

    assert answer.state == colour
    assert words in answer.detail
    assert bool(answer.cure) == (colour != HealthState.GREEN)
    assert works or "no answer" in answer.detail


def test_cached_keys_past_the_soft_limit_are_amber() -> None:
    clock = Clock()
    ring = KekRing(clock=clock)
    ring.active("data")
    fresh = answer_of(services.health(), ring.state())
    clock.seconds += SOFT_SECONDS + 1

    assert fresh.state == HealthState.GREEN
    assert answer_of(services.health(), ring.state()).state == HealthState.AMBER


@pytest.mark.usefixtures("fresh_tables")
def test_a_keys_database_that_is_away_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    connections["keys"].close()
    with monkeypatch.context() as patch:
        patch.setitem(connections["keys"].settings_dict, "NAME", "no_such_database")

        assert keys_database_health().state == HealthState.RED
        connections["keys"].close()


def test_keys_and_digests_of_a_person_are_counted_and_left_to_the_erasure() -> None:
    row = person()
    subject = DataSubject(user_id=uuid4(), subject_id=row.subject_id, email="")

    for source in SOURCES[:2]:
        assert source.handlers is not None
        assert list(source.handlers.export(subject)) == []
        assert source.handlers.erase(subject) == ErasureCount(source.label, deleted=1)
    services.erase(services.Owner(services.OwnerKind.SUBJECT, row.subject_id))

    for source in SOURCES[:2]:
        assert source.handlers is not None
        assert source.handlers.preview(subject) == ErasureCount(source.label)
