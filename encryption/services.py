"""The door of the package: what other floors call.

No other package imports ``cryptography``.
"""

from django.conf import settings
from django.db import models
from django.db.models import Min

from encryption import blind_index
from encryption.database import VAULT_ZONES, keys_database
from encryption.epochs import active_row, ring
from encryption.erasure import erase, remember, was_erased
from encryption.erasure_replay import Replayed, erased_among, replay_erasures
from encryption.errors import Erased, KeyLost, KeysUnavailable, Refused, Tampered, Unreadable
from encryption.fields import SealedField
from encryption.key_tables import KekEpoch
from encryption.keyring import keyring
from encryption.owned_bytes import open_bytes, preload, seal_bytes
from encryption.providers.base import Health
from encryption.providers.chosen import key_service
from encryption.purposes import mac, reveal_text, seal_text
from encryption.router import KEYS
from encryption.sealed_box import ensure_key_pair, open_from_vault, seal_to_vault
from encryption.signing import public_key, public_keys, sign, verify
from encryption.types import GENERAL, KeyState, Owner, OwnerKind, ReplayKind, RingState, Signature

__all__ = [
    "Erased",
    "KeyLost",
    "KeysUnavailable",
    "Owner",
    "OwnerKind",
    "Refused",
    "ReplayKind",
    "Replayed",
    "RingState",
    "Signature",
    "Tampered",
    "Unreadable",
    "check_revocations",
    "confirm_keys",
    "drop_keys",
    "earliest_living_epoch",
    "ensure_key_pair",
    "erase",
    "erased_among",
    "health",
    "is_prepared",
    "lookup",
    "mac",
    "open_bytes",
    "open_from_vault",
    "preload",
    "prepare",
    "present_epoch",
    "probe",
    "public_key",
    "public_keys",
    "remember",
    "replay_erasures",
    "reveal_text",
    "ring_state",
    "seal_bytes",
    "seal_text",
    "seal_to_vault",
    "sign",
    "verify",
    "was_erased",
]


def lookup(model: type[models.Model], field: str, value: object) -> blind_index.BlindMatch:
    """Return the condition that a sealed field may equal a value, for ``filter``.

    Compare the opened values of what is found (``SealedQuerySet.matching`` does).

    Raises:
        TypeError: the field is not sealed or has no blind index.
    """
    found = model._meta.get_field(field)  # noqa: SLF001  Django's model API
    if not isinstance(found, SealedField):
        raise TypeError(f"{field} is not sealed")
    return blind_index.match(found, value)


def check_revocations() -> None:
    """Drop keys destroyed by other processes; called as each request and task starts."""
    keyring.check_revocations()


def drop_keys() -> None:
    """Forget all keys of this process; they are read again when needed."""
    ring.drop()
    for drop in ring.on_refusal:
        drop()


def prepare() -> None:
    """Make the first keys of an installation; repeating it is harmless.

    Raises:
        KeysUnavailable: the root key does not fit, or the keys database is away.
    """
    ring.active(GENERAL)
    blind_index.keys.epoch()
    if settings.ZONE in VAULT_ZONES:
        ensure_key_pair()


def is_prepared() -> bool:
    """Say whether the first keys of the installation were made.

    Raises:
        KeysUnavailable: the keys database is away.
    """
    with keys_database():
        return active_row(GENERAL) is not None


def present_epoch() -> int:
    """Return the number of the epoch that wraps new keys of people; 0 where there is none yet.

    Raises:
        KeysUnavailable: the keys database is away.
    """
    with keys_database():
        row = active_row(GENERAL)
    return 0 if row is None else row.number


def earliest_living_epoch() -> int:
    """Return the number of the first epoch that some copy may still open.

    Keys that were wrapped under earlier ones alone are dead everywhere (encryption.md 10).

    Raises:
        KeysUnavailable: the keys database is away.
    """
    with keys_database():
        rows = KekEpoch.objects.using(KEYS).filter(purpose=GENERAL)
        living = rows.exclude(state=KeyState.DESTROYED, blob=b"")
        return living.aggregate(first=Min("number"))["first"] or 1


def confirm_keys() -> None:
    """Ask the key service again about keys past the soft limit, as each request does.

    Raises:
        KeysUnavailable: the keys database is away, or the key service refuses.
    """
    ring.confirm()


def ring_state() -> RingState:
    """Return what this process can do with sealed data now."""
    return ring.state()


def probe() -> None:
    """Open a key of this installation, which needs keys database and root key; make none.

    Raises:
        KeysUnavailable: one of them is away, or they do not fit.
    """
    ring.probe()


def health() -> Health:
    """Wrap and unwrap a probe by the key service."""
    return key_service().health()
