"""Password hashing: Argon2id with the figures of runtime.md 5."""

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

# Each check holds 19 MiB: more at once than this wait their turn instead of eating the memory.
PARALLEL_CHECKS = 4

_slots = threading.BoundedSemaphore(PARALLEL_CHECKS)


class PortalArgon2Hasher(Argon2PasswordHasher):
    """Argon2id: 19 MiB, two rounds, one lane (OWASP Password Storage Cheat Sheet)."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash within the limit of parallel checks."""
        with _slots:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Compare within the limit of parallel checks."""
        with _slots:
            return super().verify(password, encoded)
