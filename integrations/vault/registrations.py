"""All that the vault contributes to the registries."""

from importlib import import_module

from audit.events import audit_event_types
from foundation.access.permissions import permissions
from foundation.contracts.interfaces import interface_sources
from foundation.contracts.loops import loops
from foundation.contracts.personal_data import personal_data
from foundation.web.navigation import navigation
from integrations.vault import audit_events, contributions
from integrations.vault import permissions as own_permissions
from integrations.vault.personal_data import SOURCES

permissions.register(*own_permissions.ALL)
audit_event_types.register(*audit_events.ALL)
personal_data.register(*SOURCES)
navigation.register(*contributions.NAVIGATION)
loops.register(*contributions.LOOPS)
interface_sources.register(contributions.CredentialInterfaces())
import_module("integrations.vault.tasks")  # its tasks register themselves
