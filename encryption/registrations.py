"""Everything the app contributes to registries."""

from encryption import checks, contributions, personal_data, signals
from foundation.contracts.health import health_checks
from foundation.contracts.personal_data import personal_data as personal_data_registry

__all__ = ["signals"]  # importing them connects them

checks.register_all()
health_checks.register(*contributions.HEALTH)
personal_data_registry.register(*personal_data.SOURCES)
