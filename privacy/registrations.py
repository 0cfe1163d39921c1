"""All that privacy contributes to the registries."""

from importlib import import_module

from audit.events import audit_event_types
from foundation.access.permissions import permissions
from foundation.contracts.loops import loops
from foundation.contracts.personal_data import personal_data, personal_data_stores
from foundation.web.cards import cards
from foundation.web.navigation import navigation
from privacy import audit_events, contributions
from privacy import permissions as own_permissions
from privacy.personal_data import SOURCES

permissions.register(*own_permissions.ALL)
audit_event_types.register(*audit_events.ALL)
personal_data.register(*SOURCES)
personal_data_stores.register(*contributions.STORES)
navigation.register(*contributions.NAVIGATION)
cards.register(*contributions.CARDS)
loops.register(*contributions.LOOPS)
import_module("privacy.tasks")  # its tasks register themselves
