"""Give up an epoch for good: its blob, and every root version that ever wrapped it.

Otherwise an old copy of the keys database still opens (encryption.md 10). What is believed of a key
service is what it answers: a root version is destroyed when it refuses to unwrap.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from encryption.database import alias_of, lock_for_erasing
from encryption.epochs import ring
from encryption.key_tables import (
    EpochFloor,
    KekEpoch,
    KekWrap,
    KeyStoreVerification,
    RootVersion,
    RotationRun,
)
from encryption.providers import base, key_file
from encryption.providers.chosen import service_of
from encryption.rotation import jobs
from encryption.rotation.jobs import Progress
from encryption.rotation.rewrapping import keys_under, note_empty_epochs
from encryption.router import KEYS
from encryption.types import KeyState
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent
from foundation.errors import Conflict, NotFound

_LOCAL: Final = "key_file"


@dataclass(frozen=True, slots=True)
class Destruction:
    """How far an epoch is from being dead.

    Attributes:
        is_dead: nothing opens it, in no copy.
        waits_for: what is missing, in words for the operator.
    """

    is_dead: bool
    waits_for: tuple[str, ...] = ()


class DestroyJob:
    """Destroys the epoch of the run, and waits until its root versions refuse."""

    def __init__(self, run: RotationRun) -> None:
        self._run = run

    def step(self) -> Progress:
        """Do what can be done now."""
        done = destroy_epoch(self._run.purpose, int(self._run.target))
        if done.is_dead:
            return Progress.DONE
        jobs.noted(self._run.pk, "; ".join(done.waits_for))
        return Progress.WAITS


def require_destructible(purpose: str, number: int) -> KekEpoch:
    """Return an epoch that may be destroyed, or was.

    Raises:
        NotFound: there is no such epoch.
        Conflict: it is in use, holds keys, or no backup since it was emptied was restored.
    """
    epochs = KekEpoch.objects.using(alias_of(purpose)).filter(purpose=purpose)
    row = epochs.filter(number=number).first()
    if row is None:
        message = _("there is no epoch %(epoch)s") % {"epoch": f"{purpose} {number}"}
        raise NotFound(message, code="encryption.epoch_unknown")
    if row.state == KeyState.DESTROYED:
        return row
    if row.state != KeyState.RETIRED:
        message = _("epoch %(epoch)s is %(state)s")
        found = {"epoch": row, "state": row.get_state_display()}
        raise Conflict(message % found, code="encryption.epoch_in_use")
    for epoch in epochs.filter(number__lte=number).exclude(state=KeyState.DESTROYED):
        left = keys_under(epoch)
        if left:
            message = ngettext(
                "epoch %(epoch)s still holds %(left)d key",
                "epoch %(epoch)s still holds %(left)d keys",
                left,
            )
            found = {"epoch": epoch, "left": left}
            raise Conflict(message % found, code="encryption.epoch_not_empty")
    note_empty_epochs(purpose)
    _require_verified_backup(row)
    return row


def destroy_epoch(purpose: str, number: int) -> Destruction:
    """Destroy an epoch as far as it can be done now; repeating it goes on.

    Raises:
        NotFound: there is no such epoch.
        Conflict: as :func:`require_destructible`.
        KeysUnavailable: the keys database is away.
    """
    row = require_destructible(purpose, number)
    if row.state != KeyState.DESTROYED:
        _give_up(row)
    waits_for = [
        reason
        for version in _versions_of(row)
        if (reason := _destroy_root(version, row)) is not None
    ]
    if waits_for:
        return Destruction(is_dead=False, waits_for=tuple(waits_for))
    epochs = KekEpoch.objects.using(alias_of(purpose)).filter(pk=row.pk).exclude(blob=b"")
    if epochs.update(blob=b""):
        roots = " ".join(_versions_of(row))
        details = {"key": f"epoch {row}", "root": roots}
        key_journal.record(KeyEvent("encryption.key.destroyed", details=details))
    return Destruction(is_dead=True)


def verify_backup(backup: str, *, taken_at: datetime) -> None:
    """Note that a backup of the key store was restored and its keys opened.

    Args:
        backup: name of the backup.
        taken_at: when it was taken, by the clock of the keys database.
    """
    KeyStoreVerification.objects.using(KEYS).create(backup=backup[:200], taken_at=taken_at)


def _require_verified_backup(row: KekEpoch) -> None:
    """Refuse where the newest backup that is known to be good lacks the keys of now.

    Raises:
        Conflict: no backup that was taken after the epoch was emptied has been restored.
    """
    wraps = KekWrap.objects.using(KEYS).filter(epoch=row.pk)
    emptied_at = wraps.aggregate(last=Max("emptied_at"))["last"]
    good = KeyStoreVerification.objects.using(KEYS).filter(
        taken_at__gt=emptied_at, taken_at__lte=F("verified_at")
    )
    if not good.exists():
        raise Conflict(
            _(
                "no backup of the key store that was taken after epoch %(epoch)s was emptied "
                "has been restored and verified"
            )
            % {"epoch": row},
            code="encryption.backup_not_verified",
        )


def _give_up(row: KekEpoch) -> None:
    alias = alias_of(row.purpose)
    with transaction.atomic(using=alias):
        lock_for_erasing(alias)
        KekEpoch.objects.using(alias).filter(pk=row.pk, state=KeyState.RETIRED).update(
            state=KeyState.DESTROYED
        )
        KekWrap.objects.using(alias).filter(epoch=row.pk, destroyed_at__isnull=True).update(
            destroyed_at=Now()
        )
        floors = EpochFloor.objects.using(alias)
        floors.bulk_create([EpochFloor(purpose=row.purpose, number=1)], ignore_conflicts=True)
        floors.filter(purpose=row.purpose, number__lte=row.number).update(number=row.number + 1)
    ring.forget(row.pk)


def _versions_of(row: KekEpoch) -> list[str]:
    wraps = KekWrap.objects.using(KEYS).filter(epoch=row.pk)
    return list(wraps.order_by("root_version").values_list("root_version", flat=True))


def _destroy_root(version: str, row: KekEpoch) -> str | None:
    """Destroy a root version that nothing needs; return what is missing, or None."""
    versions = RootVersion.objects.using(KEYS).filter(pk=version)
    if versions.filter(state=KeyState.DESTROYED).exists():
        return None
    wraps = KekWrap.objects.using(KEYS).filter(root_version=version, destroyed_at__isnull=True)
    others = wraps.count()
    if others:
        return f"{version} also wrapped {others} epochs that are not destroyed"
    reason = _remove_from_file(version) if version.startswith(f"{_LOCAL}:") else None
    reason = reason or _why_alive(version, row)
    if reason is None and versions.exclude(state=KeyState.DESTROYED).update(
        state=KeyState.DESTROYED
    ):
        details = {"key": f"root {version}"}
        key_journal.record(KeyEvent("encryption.key.destroyed", details=details))
    return reason


def _remove_from_file(version: str) -> str | None:
    """Take the version's line out; where the file no longer wraps, a new line takes its place."""
    path = Path(settings.ROOT_KEY_FILE)
    try:
        if key_file.KeyFile(path).version == version:
            if settings.KEY_SERVICE == _LOCAL:
                return f"{version} still wraps: make a new root version first"
            key_file.add_version(path)
        with suppress(base.Refused):  # it is gone already
            key_file.destroy(path, int(version.partition(":")[2]))
    except base.KeyServiceError as error:
        return f"{version}: {error}"
    return None


def _why_alive(version: str, row: KekEpoch) -> str | None:
    """Ask the key service to unwrap; None where it refuses."""
    context = ring.context(row.purpose, row.number)
    try:
        service_of(version).unwrap(bytes(row.blob), context)
    except base.Refused:
        return None
    except (base.KeyServiceError, ImproperlyConfigured) as error:
        return f"{version} cannot be asked: {error}"
    return f"{version} still unwraps: destroy it in its key service"
