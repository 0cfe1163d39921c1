"""Key-encryption keys of this process: unwrapped once, confirmed now and then, dropped at a no.

States (encryption.md 8): ``sealed`` no key; ``ok``; ``degraded`` the key service is away and the
cached keys serve until the hard limit; ``refused`` the service said no and all keys were dropped.

While cached keys serve nobody waits for the service for more than a moment: it is asked in a thread
of its own, and its answer is taken at a later use. Without keys one caller waits for its answer,
and those behind it are told at once that there is none.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import RLock
from typing import Final, TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext

from encryption.database import alias_of, keys_database, lock_for_making
from encryption.errors import KeysUnavailable, Refused
from encryption.key_tables import EpochFloor, Installation, KekEpoch, KekWrap, RootVersion
from encryption.providers import base
from encryption.providers.calls import READ_SECONDS, Asked, in_background
from encryption.providers.chosen import key_service, service_of
from encryption.router import KEYS
from encryption.types import GENERAL, KeyState, RingState
from foundation import prepared
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent

SOFT_SECONDS: Final[int] = settings.KEY_SOFT_SECONDS
HARD_SECONDS: Final[int] = settings.KEY_HARD_SECONDS
RETRY_SECONDS: Final = 5
PATIENCE_SECONDS: Final = 0.5
LOOK_AGAIN_SECONDS: Final = 1
WAIT_SECONDS: Final = READ_SECONDS

Made = TypeVar("Made")

_IS_ACTIVE = (
    f"SELECT 1 FROM {KekEpoch._meta.db_table} "  # noqa: S608, SLF001  our own name
    "WHERE id = %s AND state = 'active'"
)
_SWITCHES = 5

_log = logging.getLogger(__name__)


class EpochDestroyed(Refused):
    """The epoch was given up for good; a key row that names it comes from an old copy."""

    code = "encryption.epoch_destroyed"


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


class KekRing:
    """All key-encryption keys of the process.

    Args:
        service: gives the key service that wraps new epochs.
        clock: monotonic seconds.
        service_for: gives the key service of a root version: during a change of provider there are
            two. Without it all root versions are those of ``service``.
    """

    def __init__(
        self,
        service: Callable[[], base.KeyService] = key_service,
        clock: Callable[[], float] = time.monotonic,
        service_for: Callable[[str], base.KeyService] | None = None,
    ) -> None:
        self._service = service
        self._service_for = service_for or (lambda _version: service())
        self._clock = clock
        self.lock = RLock()
        self._keks: dict[int, Kek] = {}
        self._installation: UUID | None = None
        self._was_refused = False
        self._away_until = 0.0
        self._asked: dict[int, Asked[bytes]] = {}
        self.on_refusal: list[Callable[[], None]] = []

    def active(self, purpose: str) -> Kek:
        """Return the epoch that wraps new keys of a purpose; the first use makes it.

        Raises:
            KeysUnavailable: the key service or the keys database is away, or refuses.
        """
        with self.lock:
            kek = self._cached_active(purpose)
            if kek is not None:
                return kek
            with keys_database():
                row = active_row(purpose) or self._create(purpose)
            return self._unwrap(row)

    def under_active(self, purpose: str, make: Callable[[Kek, str], Made]) -> Made:
        """Call ``make`` in a transaction during which the active epoch stays active.

        So after a switch no key appears under the old epoch, in any process.

        Args:
            purpose: purpose of the epoch.
            make: gets the epoch and the alias of the transaction.

        Raises:
            KeysUnavailable: as ``active``.
        """
        alias = alias_of(purpose)
        for _ in range(_SWITCHES):
            kek = self.active(purpose)
            with transaction.atomic(using=alias):
                lock_for_making(alias)
                if prepared.fetch(_IS_ACTIVE, [kek.row_id], using=alias):
                    return make(kek, alias)
            self.forget(kek.row_id)  # another process switched meanwhile
        raise KeysUnavailable("the epoch was switched again and again")

    def get(self, row_id: int, purpose: str) -> Kek:
        """Return the epoch of a key row; errors as ``active``."""
        with self.lock:
            kek = self._keks.get(row_id)
            if kek is not None:
                return self._fresh(kek)
            with keys_database():
                row = _alive_row(row_id, purpose)
            return self._unwrap(row)

    def forget(self, row_id: int) -> None:
        """Forget one epoch: another one is active now, or it is no longer needed."""
        with self.lock:
            self._keks.pop(row_id, None)

    def probe(self) -> None:
        """Open the epoch of general keys; make none where there is none yet.

        Raises:
            KeysUnavailable: the key service or the keys database is away, or refuses.
        """
        with keys_database():
            row = active_row(GENERAL)
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
        """Ask the key service again about keys past the soft limit; drop all at a refusal.

        Of epochs without keys nobody is asked: their root version may be gone for good.
        """
        with self.lock:
            for kek in tuple(self._keks.values()):
                if not kek.is_active and self._is_empty(kek):
                    self.forget(kek.row_id)
                else:
                    with suppress(EpochDestroyed):  # another one is active meanwhile
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
            self._asked.clear()
            self._installation = None

    def context(self, purpose: str, number: int) -> base.Context:
        """Return what is bound to the blob of an epoch."""
        return {
            "app": "gatehouse",
            "installation": str(self.installation()),
            "purpose": purpose,
            "epoch": number,
        }

    def _cached_active(self, purpose: str) -> Kek | None:
        for kek in self._keks.values():
            if kek.purpose == purpose and kek.is_active:
                try:
                    fresh = self._fresh(kek)
                except EpochDestroyed:
                    return None
                return fresh if fresh.is_active else None
        return None

    def _is_empty(self, kek: Kek) -> bool:
        """Say whether an epoch past the soft limit has no keys left."""
        if self._clock() - kek.confirmed_at <= SOFT_SECONDS:
            return False
        with keys_database():
            wraps = KekWrap.objects.using(alias_of(kek.purpose)).filter(epoch=kek.row_id)
            return wraps.filter(emptied_at__isnull=False).exists()

    def _fresh(self, kek: Kek) -> Kek:
        now = self._clock()
        if now - kek.confirmed_at <= SOFT_SECONDS or now < kek.retry_at:
            return kek
        is_over = now - kek.confirmed_at > HARD_SECONDS
        try:
            with keys_database():
                row = _alive_row(kek.row_id, kek.purpose)
            return self._unwrap(row) if is_over else self._confirmed(kek, row)
        except Refused:
            self._keks.pop(kek.row_id, None)
            raise
        except KeysUnavailable:
            if is_over:
                self._keks.pop(kek.row_id, None)
                raise
            kek.retry_at = now + RETRY_SECONDS
            _log.warning("key service away: cached keys serve")
            return kek

    def _confirmed(self, kek: Kek, row: KekEpoch) -> Kek:
        """Ask again for a key; where no answer comes in a moment the cached one serves on."""
        answer = self._answer(row, PATIENCE_SECONDS)
        if answer is None:
            kek.retry_at = self._clock() + LOOK_AGAIN_SECONDS
            return kek
        return self._hold(row, answer)

    def _unwrap(self, row: KekEpoch) -> Kek:
        """Ask for a key and wait; who comes after a slow failure does not wait as long again.

        What is answered too late for this caller is there for the next.
        """
        started = self._clock()
        if started < self._away_until:
            raise KeysUnavailable(gettext("the key service does not answer"))
        answer = self._answer(row, WAIT_SECONDS)
        try:
            return self._hold(row, answer or _no_answer)
        except Refused:
            raise
        except KeysUnavailable:
            ended = self._clock()
            self._away_until = ended + min(ended - started, RETRY_SECONDS)
            raise

    def _answer(self, row: KekEpoch, seconds: float) -> Callable[[], bytes] | None:
        """Ask, or take up the question that is on its way; None where no answer comes in time."""
        asked = self._asked.get(row.pk)
        if asked is None or not asked.is_ours:
            asked = self._asked[row.pk] = in_background(self._question(row))
        if not asked.has_answer(seconds):
            return None
        self._asked.pop(row.pk, None)
        return asked.answer

    def _question(self, row: KekEpoch) -> Callable[[], bytes]:
        """Return the call that unwraps an epoch; it needs no database."""
        service, blob = self._service_for(row.root_version_id), bytes(row.blob)
        context = self.context(row.purpose, row.number)
        return lambda: service.unwrap(blob, context)

    def _hold(self, row: KekEpoch, answer: Callable[[], bytes]) -> Kek:
        try:
            raw = answer()
        except base.Unavailable as error:
            raise KeysUnavailable(str(error)) from error
        except (base.Refused, base.BadBlob) as error:
            self._refuse(row, error)
            raise Refused(
                gettext(
                    "the key service refuses the root key of this installation: check the root key"
                )
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
        key_journal.write_waiting()
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
            key_journal.record(KeyEvent("encryption.key.refused", "denied", details))

    def _create(self, purpose: str) -> KekEpoch:
        """Make the first epoch of a purpose; a second process that was quicker wins."""
        service = self._service()
        try:
            _, blob = service.generate(self.context(purpose, 1))
            version = service.version_of(blob)
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


def _no_answer() -> bytes:
    raise base.Unavailable(gettext("the key service does not answer in time"))


def active_row(purpose: str) -> KekEpoch | None:
    """Return the row of the epoch that wraps new keys of a purpose."""
    rows = KekEpoch.objects.using(alias_of(purpose))
    return rows.filter(purpose=purpose, state=KeyState.ACTIVE).first()


def _alive_row(row_id: int, purpose: str) -> KekEpoch:
    """Return the row of an epoch that may be used.

    Raises:
        Refused: there is none, or it was given up.
    """
    floor = EpochFloor.objects.filter(purpose=OuterRef("purpose")).values("number")
    rows = KekEpoch.objects.using(alias_of(purpose)).annotate(floor=Subquery(floor))
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise Refused("the keys database lacks the epoch of a key")
    if row.state == KeyState.DESTROYED or row.number < (row.floor or 0):
        raise EpochDestroyed("the epoch of a key was destroyed: its row comes from an old copy")
    return row


def _insert_epoch(purpose: str, blob: bytes, version: str) -> KekEpoch:
    alias = alias_of(purpose)
    with transaction.atomic(using=alias):
        root, _ = RootVersion.objects.using(alias).get_or_create(name=version)
        row = KekEpoch.objects.using(alias).create(
            purpose=purpose, number=1, blob=blob, root_version=root
        )
        KekWrap.objects.using(alias).create(epoch=row, root_version=root)
    return row


ring: Final = KekRing(service_for=service_of)
