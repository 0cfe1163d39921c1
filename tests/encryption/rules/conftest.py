"""What the cases of rules need."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from pytest_django import Settings

from encryption.providers.key_file import create
from encryption.services import drop_keys


@pytest.fixture
def own_root_key(tmp_path: Path, settings: Settings) -> None:
    """Give the process a root key of its own, which may be rotated."""
    create(tmp_path / "root.key")
    settings.ROOT_KEY_FILE = tmp_path / "root.key"
    drop_keys()


@pytest.fixture
def related_models(findable_models: None) -> Iterator[None]:
    """Let Django find relations of the test models, backwards too."""
    del findable_models
    apps.clear_cache()
    yield
    apps.clear_cache()
