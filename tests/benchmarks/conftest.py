"""Makes the benchmark's models known to Django while it runs."""

import pytest
from django.apps import AppConfig, apps

from tests.benchmarks import models


@pytest.fixture(autouse=True)
def findable_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Django find the models by name, as copying an object does."""
    config = AppConfig(models.APP, models)
    config.apps = apps
    config.models = apps.all_models[models.APP]
    monkeypatch.setitem(apps.app_configs, models.APP, config)
