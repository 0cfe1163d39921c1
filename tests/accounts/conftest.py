"""What every test about people has: keys of its own transaction."""

from collections.abc import Iterator

import pytest

from encryption.services import drop_keys


@pytest.fixture(autouse=True)
def empty_keyring() -> Iterator[None]:
    """Forget keys before and after a test: the rows they came from are rolled back."""
    drop_keys()
    yield
    drop_keys()
