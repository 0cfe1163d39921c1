"""All that records contribute to the registries."""

from audit.events import audit_event_types
from foundation.access.permissions import permissions
from foundation.contracts.personal_data import personal_data
from foundation.contracts.visibility import visibilities
from foundation.rest.scopes import scopes
from foundation.web.cards import cards
from foundation.web.navigation import navigation
from workspace.records import audit_events, contributions
from workspace.records import permissions as own_permissions
from workspace.records.personal_data import SOURCES

permissions.register(*own_permissions.ALL)
audit_event_types.register(*audit_events.ALL)
personal_data.register(*SOURCES)
scopes.register(*contributions.SCOPES)
navigation.register(*contributions.NAVIGATION)
cards.register(*contributions.CARDS)
visibilities.register(*contributions.VISIBILITIES)
