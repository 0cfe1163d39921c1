"""Tasks of the key store."""

import time

from encryption.rotation import runs
from foundation.deferred import task

_SECONDS = 10.0


@task(runs.VAULT_TASK, purpose="Wraps the keys of the vault anew, in its own zone.")
def rotate_vault() -> None:
    """Work on the vault's rotation runs for a while; a loop sends this again while any is open."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and runs.vault_step():
        pass
