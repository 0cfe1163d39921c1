"""Everything the app contributes to registries."""

from importlib import import_module

from encryption import checks, contributions, permissions, personal_data, signals
from foundation.access.permissions import permissions as permission_registry
from foundation.contracts.health import health_checks
from foundation.contracts.loops import loops
from foundation.contracts.personal_data import personal_data as personal_data_registry

__all__ = ["signals"]  # importing them connects them

checks.register_all()
health_checks.register(*contributions.HEALTH)
loops.register(*contributions.LOOPS)
permission_registry.register(*permissions.ALL)
personal_data_registry.register(*personal_data.SOURCES)

import_module("encryption.tasks")  # declares the task by name, for those who only send it
