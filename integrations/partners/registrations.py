"""All that partners contribute to the registries."""

from audit.events import audit_event_types
from foundation.access.permissions import permissions
from foundation.contracts.access_enders import access_enders
from foundation.contracts.interfaces import interface_sources
from foundation.contracts.loops import loops
from foundation.contracts.personal_data import personal_data
from foundation.rest.problem_types import problem_types
from foundation.rest.scopes import scopes
from foundation.web.navigation import navigation
from integrations.partners import audit_events, contributions, tasks
from integrations.partners import permissions as own_permissions
from integrations.partners.personal_data import SOURCES

__all__ = ["tasks"]  # importing it registers them

permissions.register(*own_permissions.ALL)
audit_event_types.register(*audit_events.ALL)
personal_data.register(*SOURCES)
scopes.register(*contributions.SCOPES)
problem_types.register(*contributions.PROBLEMS)
navigation.register(*contributions.NAVIGATION)
loops.register(*contributions.LOOPS)
access_enders.register(*contributions.ACCESS_ENDERS)
interface_sources.register(contributions.ClientInterfaces())
