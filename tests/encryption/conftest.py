"""Tables of the test models, and a key store that forgets between tests."""

from collections.abc import Iterator

import pytest
from django.apps import AppConfig, apps
from django.db import connections
from django.db.migrations.state import ProjectState
from pytest_django import DjangoDbBlocker

from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent
from tests.encryption import models
from tests.encryption.models import APP, STEPS, TABLES
from tests.servers import FreshDatabase, state


@pytest.fixture(scope="session", autouse=True)
def tables(django_db_blocker: DjangoDbBlocker) -> None:
    """Make the tables of the test models in this process's clone."""
    with django_db_blocker.unblock():
        create_tables(state().clone.main)


@pytest.fixture
def fresh_tables(fresh_database: FreshDatabase) -> FreshDatabase:
    """Give a committed database that has the tables of the test models."""
    create_tables(fresh_database.servers.main)
    return fresh_database


@pytest.fixture
def findable_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Django find the test models by name, as unpickling does."""
    config = AppConfig(APP, models)
    config.apps = apps
    config.models = apps.all_models[APP]
    monkeypatch.setitem(apps.app_configs, APP, config)


def create_tables(database: str) -> None:
    """Create the tables of the test models as their owner would."""
    with connections["default"].schema_editor(collect_sql=True, atomic=False) as editor:
        for model in TABLES:
            editor.create_model(model)
    statements = [str(line) for line in editor.collected_sql]
    for model, step in STEPS:
        statements += step.statements(model, ProjectState())
    with state().installation.postgres.connect(database) as connection:
        connection.execute("SET ROLE gatehouse_migrator")
        for statement in statements:
            connection.execute(statement.encode())


class Recorded:
    """A key journal that keeps events for a test to look at."""

    def __init__(self) -> None:
        self.events: list[KeyEvent] = []
        self.times_asked = 0

    def record(self, event: KeyEvent) -> None:
        """Keep one event."""
        self.events.append(event)

    def write_waiting(self) -> None:
        """Count; nothing waits here."""
        self.times_asked += 1

    @property
    def names(self) -> list[str]:
        """Names of all events so far."""
        return [event.name for event in self.events]


@pytest.fixture
def key_events() -> Iterator[Recorded]:
    """Give the events of the key store instead of writing them into the journal."""
    recorded = Recorded()
    with key_journal.port.exchanged(recorded):
        yield recorded
