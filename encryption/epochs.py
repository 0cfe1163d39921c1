"""Key-encryption keys of this process: unwrapped once, confirmed now and then, dropped at a no.

States (encryption.md 8): ``sealed`` no key; ``ok``; ``degraded`` the key service is away and the
cached keys serve until the hard limit; ``refused`` the service said no and all keys were dropped.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction

from encryption.database import alias_of, keys_database
from encryption.errors import KeysUnavailable, Refused
from encryption.key_tables import Installation, KekEpoch, KekWrap, RootVersion
from encryption.providers import base
from encryption.providers.key_file import KeyFile
from encryption.router import KEYS
from encryption.types import GENERAL, KeyState, RingState
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent

SOFT_SECONDS: Final = 300
HARD_SECONDS: Final = 12 * 3600
RETRY_SECONDS: Final = 5

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Kek:
    """An unwrapped key-encryption key."""

    row_id: int
    purpose: str
    number: int
    is_active: bool
    cipher: AESGCM
    confirmed_at: float
    retry_at: float = 0.0


def key_service() -> base.KeyService:
    """Return the key service that the settings name.

    Raises:
        ImproperlyConfigured: there is none of this name.
    """
    if settings.KEY_SERVICE != "key_file":
        raise ImproperlyConfigured(f"KEY_SERVICE {settings.KEY_SERVICE!r} is unknown: key_file")
    return _key_file(Path(settings.ROOT_KEY_FILE))


class KekRing:
    """All key-encryption keys of the process.

    Args:
        service: gives the key service.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        service: Callable[[], base.KeyService] = key_service,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._clock = clock
        self.lock = RLock()
        self._keks: dict[int, Kek] = {}
        self._installation: UUID | None = None
        self._was_refused = False
        self.on_refusal: list[Callable[[], None]] = []

    def active(self, purpose: str) -> Kek:
        """Return the epoch that wraps new keys of a purpose; the first use makes it.

        Raises:
            KeysUnavailable: the key service or the keys database is away, or refuses.
        """
        with self.lock:
            for kek in self._keks.values():
                if kek.purpose == purpose and kek.is_active:
                    return self._fresh(kek)
            with keys_database():
                row = _active_row(purpose) or self._create(purpose)
            return self._unwrap(row)

    def get(self, row_id: int, purpose: str) -> Kek:
        """Return the epoch of a key row; errors as ``active``."""
        with self.lock:
            kek = self._keks.get(row_id)
            if kek is not None:
                return self._fresh(kek)
            with keys_database():
                row = KekEpoch.objects.using(alias_of(purpose)).filter(pk=row_id).first()
            if row is None:
                raise Refused("the keys database lacks the epoch of a key")
            return self._unwrap(row)

    def probe(self) -> None:
        """Open the epoch of general keys; make none where there is none yet.

        Raises:
            KeysUnavailable: the key service or the keys database is away, or refuses.
        """
        with keys_database():
            row = _active_row(GENERAL)
        if row is not None:
            self.get(row.pk, GENERAL)

    def installation(self) -> UUID:
        """Return the id of this installation, made at the first use."""
        if self._installation is None:
            with keys_database():
                rows = Installation.objects.using(KEYS)
                if not rows.exists():
                    rows.bulk_create([Installation()], ignore_conflicts=True)
                self._installation = rows.get().id
        return self._installation

    def confirm(self) -> None:
        """Ask the key service again about keys past the soft limit; drop all at a refusal."""
        with self.lock:
            for kek in tuple(self._keks.values()):
                self._fresh(kek)

    def state(self) -> RingState:
        """Return what the process can do with sealed data now."""
        if self._was_refused:
            return RingState.REFUSED
        ages = [self._clock() - kek.confirmed_at for kek in self._keks.values()]
        if not ages or min(ages) > HARD_SECONDS:
            return RingState.SEALED
        return RingState.OK if min(ages) <= SOFT_SECONDS else RingState.DEGRADED

    def drop(self) -> None:
        """Forget all keys of this process."""
        with self.lock:
            self._keks.clear()
            self._installation = None

    def _fresh(self, kek: Kek) -> Kek:
        now = self._clock()
        if now - kek.confirmed_at <= SOFT_SECONDS:
            return kek
        if now < kek.retry_at:
            return kek
        try:
            with keys_database():
                rows = KekEpoch.objects.using(alias_of(kek.purpose))
                return self._unwrap(rows.get(pk=kek.row_id))
        except Refused:
            raise
        except KeysUnavailable:
            if now - kek.confirmed_at > HARD_SECONDS:
                self._keks.pop(kek.row_id, None)
                raise
            kek.retry_at = now + RETRY_SECONDS
            _log.warning("key service away: cached keys serve")
            return kek

    def _unwrap(self, row: KekEpoch) -> Kek:
        context = self._context(row.purpose, row.number)
        try:
            raw = self._service().unwrap(bytes(row.blob), context)
        except base.Unavailable as error:
            raise KeysUnavailable(str(error)) from error
        except (base.Refused, base.BadBlob) as error:
            self._refuse(row, error)
            raise Refused(
                "the key service refuses the root key of this installation: check the root key"
            ) from error
        self._was_refused = False
        kek = Kek(
            row_id=row.pk,
            purpose=row.purpose,
            number=row.number,
            is_active=row.state == KeyState.ACTIVE,
            cipher=AESGCM(raw),
            confirmed_at=self._clock(),
        )
        self._keks[kek.row_id] = kek
        return kek

    def _refuse(self, row: KekEpoch, error: base.KeyServiceError) -> None:
        is_news = not self._was_refused
        self._was_refused = True
        self.drop()
        for drop in self.on_refusal:
            drop()
        _log.error("key service refuses: %s", type(error).__name__)
        if is_news:
            details = {"epoch": str(row), "reason": type(error).__name__}
            with suppress(KeysUnavailable):  # the journal needs a key too, and may have none left
                key_journal.record(KeyEvent("encryption.key.refused", "denied", details))

    def _create(self, purpose: str) -> KekEpoch:
        """Make the first epoch of a purpose; a second process that was quicker wins."""
        service = self._service()
        try:
            _, blob = service.generate(self._context(purpose, 1))
            version = service.version
        except base.Unavailable as error:
            raise KeysUnavailable(str(error)) from error
        except (base.Refused, base.BadBlob) as error:
            raise Refused(str(error)) from error
        try:
            row = _insert_epoch(purpose, blob, version)
        except IntegrityError:
            return KekEpoch.objects.using(alias_of(purpose)).get(
                purpose=purpose, state=KeyState.ACTIVE
            )
        key_journal.record(KeyEvent("encryption.key.created", details={"key": f"epoch {row}"}))
        return row

    def _context(self, purpose: str, number: int) -> base.Context:
        return {
            "app": "gatehouse",
            "installation": str(self.installation()),
            "purpose": purpose,
            "epoch": number,
        }


def _active_row(purpose: str) -> KekEpoch | None:
    rows = KekEpoch.objects.using(alias_of(purpose))
    return rows.filter(purpose=purpose, state=KeyState.ACTIVE).first()


def _insert_epoch(purpose: str, blob: bytes, version: str) -> KekEpoch:
    alias = alias_of(purpose)
    with transaction.atomic(using=alias):
        root, _ = RootVersion.objects.using(alias).get_or_create(name=version)
        row = KekEpoch.objects.using(alias).create(
            purpose=purpose, number=1, blob=blob, root_version=root
        )
        KekWrap.objects.using(alias).create(epoch=row, root_version=root)
    return row


@lru_cache(maxsize=8)
def _key_file(path: Path) -> KeyFile:
    return KeyFile(path)


ring: Final = KekRing()
