"""Store, use, test and destroy credentials."""

from integrations.vault.services.credentials import destroy, store_api_key, store_version
from integrations.vault.services.interfaces import find_interface_of, interface_of
from integrations.vault.services.sessions import VaultSession, session
from integrations.vault.services.testing import request_test, result_of_test, run_test

__all__ = [
    "VaultSession",
    "destroy",
    "find_interface_of",
    "interface_of",
    "request_test",
    "result_of_test",
    "run_test",
    "session",
    "store_api_key",
    "store_version",
]
