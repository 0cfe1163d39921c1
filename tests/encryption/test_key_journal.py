"""The port by which the key store's events reach the journal."""

import pytest

from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent, KeyJournal
from foundation.registry import Port, RegistryError
from tests.encryption.conftest import Recorded


def test_events_wait_for_the_journal_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    port: Port[KeyJournal] = Port("key journal")
    monkeypatch.setattr(key_journal, "port", port)
    monkeypatch.setattr(key_journal, "_waiting", [])
    key_journal.record(KeyEvent("encryption.key.created"))
    journal = Recorded()

    key_journal.provide(journal)
    key_journal.record(KeyEvent("encryption.key.rotated"))

    assert journal.names == ["encryption.key.created", "encryption.key.rotated"]
    with pytest.raises(RegistryError):
        key_journal.provide(journal)
