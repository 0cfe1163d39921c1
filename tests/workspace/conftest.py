"""A key store that forgets between tests, as the database does."""

from collections.abc import Iterator

import pytest

from encryption.services import drop_keys


@pytest.fixture(autouse=True)
def no_cached_keys() -> Iterator[None]:
    """Forget keys, which the rollback of each test takes out of the database."""
    drop_keys()
    yield
    drop_keys()
