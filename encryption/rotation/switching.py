"""Switch to a new epoch: made, proved by unwrapping, then active in one transaction.

Every step can be repeated and compares before it sets: a process that dies anywhere, and two that
work at once, leave exactly one active epoch, under which every live key opens or will be wrapped.
"""

import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Now

from encryption import wrapping
from encryption.database import alias_of, lock_for_erasing
from encryption.epochs import active_row, ring
from encryption.errors import KeysUnavailable, Refused
from encryption.key_tables import KekEpoch, KekWrap, RootVersion
from encryption.providers import base
from encryption.providers.chosen import key_service, service_of
from encryption.types import KeyState
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent

_PROBE: Final[base.Context] = {"probe": "epoch"}


def switch_epoch(purpose: str, *, number: int = 0, root_version: str = "") -> KekEpoch:
    """Return the active epoch of a purpose, after a switch where it is not yet the one wanted.

    Args:
        purpose: purpose of the epoch.
        number: lowest number that will do.
        root_version: root version that must wrap it; empty for any.

    Raises:
        KeysUnavailable: the key service or the keys database is away, or refuses.
    """
    active = active_row(purpose) or _first(purpose)
    if active.number >= number and root_version in {"", active.root_version_id}:
        return active
    pending = _pending(purpose, root_version) or _made(purpose)
    if root_version and pending.root_version_id != root_version:
        raise Refused("the key service wraps by another root version than the run moves to")
    _prove(pending)
    return _switched(active, pending)


def _first(purpose: str) -> KekEpoch:
    ring.active(purpose)
    row = active_row(purpose)
    if row is None:
        raise KeysUnavailable("there is no active epoch")
    return row


def _epochs(purpose: str) -> QuerySet[KekEpoch]:
    return KekEpoch.objects.using(alias_of(purpose)).filter(purpose=purpose)


def _pending(purpose: str, root_version: str) -> KekEpoch | None:
    """Return the epoch that a run left behind; one of another root version is given up."""
    pending = _epochs(purpose).filter(state=KeyState.PENDING).order_by("-number").first()
    if pending is None or root_version in {"", pending.root_version_id}:
        return pending
    if (
        _epochs(purpose)
        .filter(pk=pending.pk, state=KeyState.PENDING)
        .update(state=KeyState.RETIRED)
    ):
        wraps = KekWrap.objects.using(alias_of(purpose)).filter(epoch=pending)
        wraps.update(emptied_at=Now())
    return None


def _made(purpose: str) -> KekEpoch:
    newest = _epochs(purpose).aggregate(newest=Max("number"))["newest"] or 0
    service = key_service()
    try:
        _, blob = service.generate(ring.context(purpose, newest + 1))
        version = service.version_of(blob)
    except base.KeyServiceError as error:
        raise _translated(error) from error
    row, is_ours = _inserted_or_found(purpose, newest + 1, blob, version)
    if is_ours:
        key_journal.record(KeyEvent("encryption.key.created", details={"key": f"epoch {row}"}))
    return row


def _inserted_or_found(
    purpose: str, number: int, blob: bytes, version: str
) -> tuple[KekEpoch, bool]:
    """Insert an epoch and say that it is ours; where another process was quicker, give that one."""
    try:
        return _inserted(purpose, number, blob, version), True
    except IntegrityError:
        return _epochs(purpose).get(number=number), False


def _inserted(purpose: str, number: int, blob: bytes, version: str) -> KekEpoch:
    alias = alias_of(purpose)
    with transaction.atomic(using=alias):
        RootVersion.objects.using(alias).bulk_create(
            [RootVersion(name=version, state=KeyState.PENDING)], ignore_conflicts=True
        )
        row = _epochs(purpose).create(
            purpose=purpose,
            number=number,
            blob=blob,
            root_version_id=version,
            state=KeyState.PENDING,
        )
        KekWrap.objects.using(alias).create(epoch=row, root_version_id=version)
    return row


def _prove(row: KekEpoch) -> None:
    """Unwrap the stored blob and use its key.

    Raises:
        KeysUnavailable: the key service is away.
        Refused: the stored blob does not open.
    """
    context = ring.context(row.purpose, row.number)
    stored = bytes(_epochs(row.purpose).get(pk=row.pk).blob)
    try:
        raw = service_of(row.root_version_id).unwrap(stored, context)
    except base.KeyServiceError as error:
        raise _translated(error) from error
    cipher, probe = AESGCM(raw), wrapping.new_key()
    opened = wrapping.unwrap(cipher, wrapping.wrap(cipher, probe, _PROBE), _PROBE)
    if not secrets.compare_digest(opened, probe):
        raise Refused("a new epoch does not open what it wrapped")


def _switched(old: KekEpoch, new: KekEpoch) -> KekEpoch:
    """Make the new epoch active; where another process did so already, nothing happens."""
    purpose, alias = new.purpose, alias_of(new.purpose)
    with transaction.atomic(using=alias):
        lock_for_erasing(alias)
        _epochs(purpose).filter(state=KeyState.ACTIVE, number__lt=new.number).update(
            state=KeyState.RETIRED
        )
        is_ours = (
            _epochs(purpose).filter(pk=new.pk, state=KeyState.PENDING).update(state=KeyState.ACTIVE)
        )
        RootVersion.objects.using(alias).filter(
            pk=new.root_version_id, state=KeyState.PENDING
        ).update(state=KeyState.ACTIVE)
        if not is_ours and not _epochs(purpose).filter(state=KeyState.ACTIVE).exists():
            transaction.set_rollback(True, using=alias)
    ring.forget(old.pk)
    if is_ours:
        details = {"key": f"epoch {new}", "root": new.root_version_id}
        key_journal.record(KeyEvent("encryption.key.rotated", details=details))
    return active_row(purpose) or old


def _translated(error: base.KeyServiceError) -> KeysUnavailable:
    if isinstance(error, base.Unavailable):
        return KeysUnavailable(str(error))
    return Refused(str(error))
