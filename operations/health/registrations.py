"""All that health contributes."""

from foundation.contracts.health import health_checks
from operations.health import contributions

health_checks.register(*contributions.ALL)
