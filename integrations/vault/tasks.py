"""Tasks of the vault: ids in, one service call; they run in zone ``vault``."""

from uuid import UUID

from foundation.deferred import task
from integrations.vault.services import run_test
from integrations.vault.services.testing import TASK


@task(TASK, queue="integrations", purpose="call the other system to see whether a key works")
def run_credential_test(*, organisation_id: str, result_id: str) -> None:
    """Test a credential; may run twice, the row decides."""
    run_test(UUID(organisation_id), UUID(result_id))
