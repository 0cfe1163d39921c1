"""A root key that vectors may show."""

from pathlib import Path

import pytest
from pytest_django import Settings

from encryption.providers.key_file import create
from encryption.services import drop_keys


@pytest.fixture
def own_root_key(tmp_path: Path, settings: Settings) -> None:
    """Give the process a root key that serves nothing else."""
    create(tmp_path / "root.key")
    settings.ROOT_KEY_FILE = tmp_path / "root.key"
    drop_keys()
