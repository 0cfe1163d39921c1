"""The port by which the key store's events reach the journal."""

import pytest

from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent
from foundation.registry import RegistryError
from tests.encryption.conftest import Recorded


def test_events_wait_for_the_journal_and_none_is_lost() -> None:
    journal = Recorded()

    with key_journal.port.exchanged(None):
        key_journal.record(KeyEvent("encryption.key.created"))
        key_journal.provide(journal)
        key_journal.record(KeyEvent("encryption.key.rotated"))
        with pytest.raises(RegistryError):
            key_journal.provide(journal)

    assert journal.names == ["encryption.key.created", "encryption.key.rotated"]
