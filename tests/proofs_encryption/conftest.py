"""Committed databases of a test's own, with a root key file whose versions can be destroyed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import Settings

from encryption import services
from encryption.providers import key_file
from tests.encryption.conftest import create_tables
from tests.proofs_encryption.backups import Backups
from tests.servers import FreshDatabase


@pytest.fixture
def root_key(tmp_path: Path, settings: Settings) -> Path:
    """Give a new root key file, which the process uses."""
    path = tmp_path / "root.key"
    key_file.create(path)
    settings.ROOT_KEY_FILE = path
    services.drop_keys()
    return path


@pytest.fixture
def backups(fresh_database: FreshDatabase, root_key: Path, tmp_path: Path) -> Iterator[Backups]:
    """Give real dumps and restores of committed databases with the test models' tables."""
    assert root_key
    create_tables(fresh_database.servers.main)
    found = Backups(fresh_database.installation, fresh_database.servers, tmp_path)
    yield found
    connections.close_all()
    found.drop_restored()
