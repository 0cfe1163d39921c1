"""What every test has: its databases, an empty cache, sockets on loopback only."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from encryption.services import drop_keys
from tests.cast import ada, alice, aurora, bob, carol, kim, paul, visitor

__all__ = ["ada", "alice", "aurora", "bob", "carol", "kim", "paul", "visitor"]


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """Do nothing: ``tests.servers`` has made this process's databases already."""


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Let no counter or cached page of another test remain."""
    cache.clear()


@pytest.fixture(autouse=True)
def no_cached_keys() -> Iterator[None]:
    """Forget keys of other tests: their rollback took them out of the keys database."""
    drop_keys()
    yield
    drop_keys()
