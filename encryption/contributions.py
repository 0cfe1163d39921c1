"""What the key store contributes to health."""

from typing import Final

from django.db import transaction

from encryption import services
from encryption.database import KEYS_VAULT, keys_database
from encryption.errors import KeysUnavailable
from encryption.key_tables import RootVersion
from encryption.providers.base import Health
from encryption.rotation import runs
from encryption.router import KEYS
from encryption.types import RingState
from foundation.contracts.health import HealthAnswer, HealthCheck, HealthState
from foundation.contracts.loops import Loop

_CURES: Final = {
    RingState.SEALED: "Check that the key service and the keys database answer.",
    RingState.REFUSED: "Check the root key: it must be that of this installation, mode 0600.",
    RingState.DEGRADED: "The key service is away; cached keys serve for a while. Bring it back.",
}


def key_service_health() -> HealthAnswer:
    """Wrap and unwrap a probe, and say what this process can do with sealed data."""
    return answer_of(services.health(), services.ring_state())


def answer_of(found: Health, state: RingState) -> HealthAnswer:
    """Put into words how a key service answers, and what a ring can do."""
    if not found.works:
        return HealthAnswer(HealthState.RED, found.problem, _CURES[RingState.SEALED])
    if state == RingState.REFUSED:
        return HealthAnswer(HealthState.RED, "the root key is refused", _CURES[state])
    if state == RingState.DEGRADED:
        return HealthAnswer(HealthState.AMBER, "cached keys serve", _CURES[state])
    return HealthAnswer(HealthState.GREEN, "the key service answers")


def keys_database_health() -> HealthAnswer:
    """Ask the keys database."""
    try:
        with keys_database(), transaction.atomic(using=KEYS):
            versions = RootVersion.objects.using(KEYS).count()
    except KeysUnavailable as error:
        return HealthAnswer(HealthState.RED, error.message, _CURES[RingState.SEALED])
    return HealthAnswer(HealthState.GREEN, f"the keys database answers: {versions} root version(s)")


HEALTH: Final = (
    HealthCheck(name="key service", run=key_service_health, ready=True),
    HealthCheck(name="keys database", run=keys_database_health, ready=True),
)
LOOPS: Final = (
    Loop(name="encryption.rotation", step=runs.general_step, interval_seconds=5, alias=KEYS),
    Loop(
        name="encryption.rotation_vault",
        step=runs.vault_step,
        interval_seconds=5,
        alias=KEYS_VAULT,
    ),
)
