"""A root key of its own for tests that add and destroy root versions."""

from pathlib import Path

import pytest
from pytest_django import Settings

from encryption import services
from encryption.providers.key_file import create


@pytest.fixture
def root_key(tmp_path: Path, settings: Settings) -> Path:
    """Give a new root key file, which the process uses."""
    create(tmp_path / "root.key")
    settings.ROOT_KEY_FILE = tmp_path / "root.key"
    services.drop_keys()
    return tmp_path / "root.key"
