"""Everything the API plumbing contributes, in one list."""

from foundation.contracts.loops import loops
from foundation.contracts.personal_data import personal_data
from foundation.rest.contributions import IDEMPOTENCY_RECORDS, IDEMPOTENCY_SWEEP

loops.register(IDEMPOTENCY_SWEEP)
personal_data.register(IDEMPOTENCY_RECORDS)
