from collections.abc import Iterator

import pytest
import redis
from django.test import Client
from pytest_django import Settings

from foundation.rest.document import _document
from tests.foundation.rest.sample_api import OneSample, Samples


@pytest.fixture(autouse=True)
def sample_api(settings: Settings) -> Iterator[None]:
    """Serve the sample API in place of the real one, with limits of this test alone."""
    settings.ROOT_URLCONF = "tests.foundation.rest.sample_api"
    settings.API_PLANS = {"standard": (1000, 60), "open": (1000, 60)}
    forget_all_counts(settings.VALKEY_URL)
    Samples.created.clear()
    OneSample.version = 1
    _document.cache_clear()
    yield
    _document.cache_clear()


@pytest.fixture
def paul() -> Client:
    """A partner client that may read and write."""
    return Client(headers={"Authorization": "Bearer paul"}, raise_request_exception=False)


@pytest.fixture
def stranger() -> Client:
    """Somebody without a token."""
    return Client(raise_request_exception=False)


def forget_all_counts(url: str) -> None:
    """Let no request of another test count."""
    with redis.Redis.from_url(url) as store:
        for name in store.scan_iter("rate:*"):
            store.delete(name)
