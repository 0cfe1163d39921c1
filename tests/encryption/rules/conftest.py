"""What the cases of rules need."""

from collections.abc import Iterator

import pytest
from django.apps import apps


@pytest.fixture
def related_models(findable_models: None) -> Iterator[None]:
    """Let Django find relations of the test models, backwards too."""
    del findable_models
    apps.clear_cache()
    yield
    apps.clear_cache()
