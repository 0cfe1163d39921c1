"""All that the journal contributes."""

from audit import audit_events, permissions
from audit.events import audit_event_types
from audit.key_store import KeyStoreJournal
from foundation.access.permissions import permissions as permission_registry
from foundation.contracts import key_journal

audit_event_types.register(*audit_events.ALL)
permission_registry.register(*permissions.ALL)
key_journal.provide(KeyStoreJournal())
