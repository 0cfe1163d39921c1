"""What the key store contributes to health."""

from contextlib import suppress
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from encryption import services
from encryption.database import KEYS_VAULT, keys_database
from encryption.errors import KeysUnavailable
from encryption.key_tables import RootVersion
from encryption.providers.base import Health, Unavailable
from encryption.providers.calls import Bounded
from encryption.rotation import runs
from encryption.router import KEYS
from encryption.types import RingState
from foundation.contracts.health import HealthAnswer, HealthCheck, HealthState
from foundation.contracts.loops import Loop

_PROBE_SECONDS: Final = 1.0  # a check has two
_CURES: Final = {
    RingState.SEALED: gettext_lazy(
        "Bring the key service back, or the way to it; the portal goes on by itself."
    ),
    RingState.REFUSED: gettext_lazy(
        "Check the root key: it must be that of this installation, enabled, and we must have the "
        "right to use it (a key file: mode 0600). The portal goes on by itself."
    ),
    RingState.DEGRADED: format_lazy(
        gettext_lazy(
            "Bring the key service back before cached keys end ({seconds} s after its last answer)."
        ),
        seconds=settings.KEY_HARD_SECONDS,
    ),
}
_NO_KEYS_DATABASE: Final = gettext_lazy(
    "Check that the keys database answers, and the password of its role."
)
_probe: Final = Bounded(_PROBE_SECONDS)


def key_service_health() -> HealthAnswer:
    """Wrap and unwrap a probe, and say what this process can do with sealed data."""
    try:
        found = _probe.run(services.health)
    except Unavailable as error:
        found = Health(works=False, problem=str(error))
    if found.works:  # else nobody is waited for twice: requests find out
        with suppress(KeysUnavailable):
            services.confirm_keys()
    return answer_of(found, services.ring_state())


def answer_of(found: Health, state: RingState) -> HealthAnswer:
    """Put into words how a key service answers, and what a ring can do (encryption.md 8)."""
    because = f" ({found.problem})" if found.problem else ""
    if state == RingState.REFUSED:
        detail = _(
            "State refused: the key service refuses the root key%(because)s. All keys were "
            "dropped: sealed data is not to be had, all else works."
        )
        return HealthAnswer(HealthState.RED, detail % {"because": because}, str(_CURES[state]))
    if state == RingState.SEALED and not found.works:
        detail = _(
            "State sealed: no key is open and the key service cannot be used%(because)s. Pages "
            "with sealed data answer 503, all others work."
        )
        return HealthAnswer(HealthState.RED, detail % {"because": because}, str(_CURES[state]))
    if state == RingState.DEGRADED or not found.works:
        detail = _("State %(state)s: the key service is away%(because)s; cached keys serve.")
        return HealthAnswer(
            HealthState.AMBER,
            detail % {"state": state, "because": because},
            str(_CURES[RingState.DEGRADED]),
        )
    return HealthAnswer(HealthState.GREEN, _("the key service answers"))


def keys_database_health() -> HealthAnswer:
    """Ask the keys database."""
    try:
        with keys_database(), transaction.atomic(using=KEYS):
            versions = RootVersion.objects.using(KEYS).count()
    except KeysUnavailable as error:
        return HealthAnswer(HealthState.RED, error.message, str(_NO_KEYS_DATABASE))
    words = ngettext(
        "the keys database answers: %(count)d root version",
        "the keys database answers: %(count)d root versions",
        versions,
    )
    return HealthAnswer(HealthState.GREEN, words % {"count": versions})


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
