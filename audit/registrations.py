"""All that the journal contributes."""

from importlib import import_module

from audit import audit_events, contributions, permissions
from audit.anomaly.rules import anomaly_rules
from audit.events import audit_event_types
from audit.key_store import KeyStoreJournal
from audit.personal_data import SOURCES
from audit.readers import readers
from foundation.access.permissions import permissions as permission_registry
from foundation.contracts import key_journal
from foundation.contracts.health import health_checks
from foundation.contracts.loops import loops
from foundation.contracts.personal_data import personal_data
from foundation.web.navigation import navigation

audit_event_types.register(*audit_events.ALL)
permission_registry.register(*permissions.ALL)
personal_data.register(*SOURCES)
readers.register(*contributions.READERS)
anomaly_rules.register(*contributions.RULES)
loops.register(*contributions.LOOPS)
health_checks.register(*contributions.HEALTH)
navigation.register(*contributions.NAVIGATION)
key_journal.provide(KeyStoreJournal())

import_module("audit.tasks")  # declares the task by name, for those who only send it
import_module("audit.signals")
