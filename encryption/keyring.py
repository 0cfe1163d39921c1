"""Data keys of this process: an LRU with a short life, one query per list, revocation by number.

A data key is committed to the keys database before a value uses it. No transaction spans both
databases, so an orphan key can stay behind; it is harmless.
"""

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar, cast
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError
from django.db.models import F, Max

from encryption import envelope, wrapping
from encryption.database import alias_of, keys_database
from encryption.epochs import Kek, KekRing, ring
from encryption.errors import Erased, KeyLost, KeysUnavailable
from encryption.key_tables import DataKey, ErasureLedgerEntry, Revocation, RotationRun
from encryption.providers.base import Context
from encryption.router import KEYS
from encryption.types import DATA, GENERAL, VAULT, KeyState, Owner, RotationKind
from foundation import prepared
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent

CAPACITY: Final = 20_000
LIFE_SECONDS: Final = 300
SEALS_RESERVED: Final = 1024
SEALS_WARNING: Final = 2**30
SEALS_LIMIT: Final = 2**31
LOOK_AGAIN: Final = 0
WORN: Final = "worn"

Item = TypeVar("Item")


class WrappedKey(NamedTuple):
    """The columns of a key row that are needed to unwrap it; lists load thousands at once."""

    id: int
    owner_kind: str
    owner_id: UUID
    purpose: str
    epoch_id: int
    blob: bytes


_REVOKED_SINCE = (
    f"SELECT number, key_id FROM {Revocation._meta.db_table} "  # noqa: S608, SLF001  our own name
    "WHERE number > %s ORDER BY number"
)
_WRAPPED = (
    f"SELECT {', '.join(WrappedKey._fields)} FROM {DataKey._meta.db_table} "  # noqa: S608, SLF001
    "WHERE id = ANY(%s::bigint[])"
)
# Arrays, because Django's bulk insert makes an expression for each cell.
_INSERT_KEYS = (
    f"INSERT INTO {DataKey._meta.db_table} "  # noqa: S608, SLF001  our own name
    "(id, owner_kind, owner_id, purpose, epoch_id, blob, seals, state) "
    "SELECT given.*, %s, 'active' FROM UNNEST(%s::bigint[], %s::text[], %s::uuid[], %s::text[], "
    "%s::bigint[], %s::bytea[]) AS given"
)
_LEDGER_PREFIX = b"gatehouse erasure v1\x00"
_CHUNK = 5000

_log = logging.getLogger(__name__)


class KeyHandle:
    """An unwrapped data key with the facts that were authenticated with it."""

    __slots__ = (
        "cipher",
        "expires_at",
        "header",
        "key_id",
        "kind",
        "owner_id",
        "owner_number",
        "purpose",
        "raw",
        "realm",
        "spare",
    )

    def __init__(self, row: DataKey | WrappedKey, raw: bytes, *, expires_at: float) -> None:
        self.key_id = wrapping.id_bytes(row.id)
        self.header = envelope.FORMAT + self.key_id
        self.raw = raw
        self.cipher = AESGCM(raw)
        self.kind = row.owner_kind
        self.realm = realm(row.owner_kind, row.purpose)
        self.owner_id = row.owner_id
        self.owner_number = row.owner_id.int
        self.purpose = row.purpose
        self.expires_at = expires_at
        self.spare = 0

    @property
    def slot(self) -> tuple[str, UUID, str]:
        """Whose key it is and for what."""
        return self.kind, self.owner_id, self.purpose


class Keyring:
    """All data keys of the process.

    Args:
        keks: the key-encryption keys.
        clock: monotonic seconds.
        capacity: how many keys are held.
    """

    def __init__(
        self,
        keks: KekRing,
        clock: Callable[[], float] = time.monotonic,
        capacity: int = CAPACITY,
    ) -> None:
        self._keks = keks
        self._clock = clock
        self._capacity = capacity
        self._lock = keks.lock  # one lock: a refusal found by either drops both
        self._handles: OrderedDict[bytes, KeyHandle] = OrderedDict()
        self._sealing: dict[tuple[str, UUID, str], bytes] = {}
        self._latest: KeyHandle | None = None
        self._seen: int | None = None
        self.on_notice: list[Callable[[], None]] = []
        keks.on_refusal.append(self.drop)

    def get(self, key_id: bytes, *, purpose: str = DATA) -> KeyHandle | None:
        """Return a key by its id, or None if the keys database holds none of this id.

        Raises:
            KeysUnavailable: it is not cached, and the key service or keys database is away.
            Tampered: the key row was changed.
        """
        handle = self._handles.get(key_id)
        if handle is not None and handle.expires_at > self._clock():
            if handle is not self._latest:  # the values of a row mostly share one key
                self._latest = handle
                try:
                    self._handles.move_to_end(key_id)
                except KeyError:  # another thread dropped it meanwhile
                    return handle
            return handle
        self._load([key_id], alias_of(purpose))
        return self._cached(key_id)

    def preload(self, key_ids: Iterable[bytes]) -> None:
        """Load the keys of a list in one query; what is away or lost shows at first use."""
        missing = [key_id for key_id in set(key_ids) if self._cached(key_id) is None]
        try:
            for chunk in _chunks(missing):
                self._load(chunk, KEYS)
        except KeysUnavailable:
            _log.warning("keys could not be preloaded")

    def for_sealing(self, owner: Owner, purpose: str = DATA) -> KeyHandle:
        """Return the key that seals new values of an owner, made at the first use.

        Raises:
            Erased: the owner's keys were destroyed; who comes back gets a new owner id.
            KeysUnavailable: the key service or the keys database is away.
        """
        with self._lock:
            handle = self._latest  # the values of a row mostly share one key
            if handle is None or not self._is_newest(handle, owner, purpose):
                self._latest = handle = self.current(owner, purpose)
            if handle.spare <= 0 and not self._reserve(handle):
                self.forget([handle.key_id])
                return self.for_sealing(owner, purpose)
            handle.spare -= 1
            return handle

    def current(self, owner: Owner, purpose: str = DATA) -> KeyHandle:
        """Return the newest key of an owner without counting a seal; errors as ``for_sealing``."""
        with self._lock:
            key_id = self._sealing.get((owner.kind, owner.id, purpose))
            handle = self._cached(key_id) if key_id is not None else None
            if handle is None:
                handle = self._find_or_make(owner, purpose)
                self._sealing[handle.slot] = handle.key_id
            return handle

    def preload_owners(self, owners: Collection[Owner]) -> None:
        """Load or make the sealing keys of many owners in few statements.

        What does not work here (an erased owner, a race) shows when its first value is sealed.
        """
        with self._lock, suppress(KeysUnavailable, IntegrityError), keys_database():
            missing = {(str(o.kind), o.id, DATA): o for o in owners}
            missing = {slot: o for slot, o in missing.items() if not self._is_ready(slot)}
            self._note_revocations()
            for ids in _chunks([owner.id for owner in missing.values()]):
                rows = DataKey.objects.using(KEYS).filter(
                    owner_id__in=ids, purpose=DATA, state=KeyState.ACTIVE
                )
                for row in rows:
                    handle = self._hold(row)
                    self._sealing[handle.slot] = handle.key_id
                    missing.pop(handle.slot, None)
            self._make_all(missing.values())

    def why_missing(self, owner: Owner) -> Erased | KeyLost:
        """Return the error for a value of this owner whose key is not in the keys database."""
        with keys_database():
            if is_erased(owner):
                return Erased("this was erased")
        details = {"owner_kind": str(owner.kind)}
        key_journal.record(KeyEvent("encryption.key.lost", "failure", details))
        return KeyLost("the key of a sealed value is not in the keys database")

    def check_revocations(self) -> None:
        """Drop the keys destroyed since the last call; to be called as each request starts.

        If the keys database is away, cached keys serve until their short life ends.
        """
        if not self._handles:
            return
        try:
            with keys_database():
                self._drop_revoked()
            self._keks.confirm()
        except KeysUnavailable:
            _log.warning("revocations could not be read")

    def forget(self, key_ids: Collection[bytes]) -> None:
        """Drop some keys."""
        with self._lock:
            for key_id in key_ids:
                handle = self._handles.pop(key_id, None)
                if handle is not None:
                    self._sealing.pop(handle.slot, None)

    def look_again(self) -> None:
        """Ask for the newest key of each owner at its next use: another one may seal now."""
        with self._lock:
            self._sealing.clear()
        for drop in self.on_notice:
            drop()

    def drop(self) -> None:
        """Drop all keys."""
        with self._lock:
            self._handles.clear()
            self._sealing.clear()
            self._seen = None

    def _is_newest(self, handle: KeyHandle, owner: Owner, purpose: str) -> bool:
        """Say whether a key is the one held for new values of an owner."""
        key_id = self._sealing.get((owner.kind, owner.id, purpose))
        if key_id != handle.key_id or self._handles.get(key_id) is not handle:
            return False
        return handle.expires_at > self._clock()

    def _is_ready(self, slot: tuple[str, UUID, str]) -> bool:
        key_id = self._sealing.get(slot)
        return key_id is not None and self._cached(key_id) is not None

    def _cached(self, key_id: bytes) -> KeyHandle | None:
        handle = self._handles.get(key_id)
        if handle is None or handle.expires_at <= self._clock():
            return None
        try:
            self._handles.move_to_end(key_id)
        except KeyError:  # dropped by another thread: as good as expired
            return None
        return handle

    def _load(self, key_ids: Collection[bytes], alias: str) -> None:
        numbers = [wrapping.id_number(key_id) for key_id in key_ids]
        with keys_database():
            self._note_revocations()
            for row in prepared.fetch(_WRAPPED, [numbers], using=alias):
                self._hold(WrappedKey._make(row))

    def _hold(self, row: DataKey | WrappedKey, raw: bytes | None = None) -> KeyHandle:
        if raw is None:
            kek = self._keks.get(row.epoch_id, _epoch_purpose(row.purpose))
            raw = wrapping.unwrap(kek.cipher, bytes(row.blob), data_key_facts(row))
        handle = KeyHandle(row, raw, expires_at=self._clock() + LIFE_SECONDS)
        with self._lock:
            self._handles[handle.key_id] = handle
            self._handles.move_to_end(handle.key_id)
            while len(self._handles) > self._capacity:
                _, old = self._handles.popitem(last=False)
                self._sealing.pop(old.slot, None)
        return handle

    def _find_or_make(self, owner: Owner, purpose: str) -> KeyHandle:
        alias = alias_of(purpose)
        with keys_database():
            self._note_revocations()
            row = _active_key(owner, purpose, alias)
            if row is not None:
                return self._hold(row)
            try:
                return self._make(owner, purpose)
            except IntegrityError:
                row = _active_key(owner, purpose, alias)
                if row is None:
                    raise
                return self._hold(row)  # another process was quicker

    def _make(self, owner: Owner, purpose: str) -> KeyHandle:
        def make(kek: Kek, alias: str) -> tuple[DataKey, bytes]:
            if is_erased(owner, alias=alias):
                raise Erased("the keys of this owner were destroyed")
            row, raw = _new_key(owner, purpose, kek)
            row.save(using=alias, force_insert=True)
            return row, raw

        return self._hold_new(*self._keks.under_active(_epoch_purpose(purpose), make))

    def _make_all(self, owners: Collection[Owner]) -> None:
        """Make a key for each owner in one transaction; erased ones are left out."""
        digests = {owner_digest(owner): owner for owner in owners}

        def make(kek: Kek, alias: str) -> list[tuple[DataKey, bytes]]:
            entries = ErasureLedgerEntry.objects.using(alias).filter(owner_digest__in=digests)
            for digest in entries.values_list("owner_digest", flat=True):
                del digests[bytes(digest)]
            made = [_new_key(owner, DATA, kek) for owner in digests.values()]
            _insert([row for row, _ in made], alias)
            return made

        for row, raw in self._keks.under_active(GENERAL, make):
            self._hold_new(row, raw)

    def _hold_new(self, row: DataKey, raw: bytes) -> KeyHandle:
        handle = self._hold(row, raw)
        handle.spare = SEALS_RESERVED
        self._sealing[handle.slot] = handle.key_id
        return handle

    def _reserve(self, handle: KeyHandle) -> bool:
        """Count a batch of seals before they happen: a crash over-counts, never under-counts."""
        rows = DataKey.objects.using(alias_of(handle.purpose)).filter(
            pk=wrapping.id_number(handle.key_id), state=KeyState.ACTIVE
        )
        with keys_database():
            if not rows.update(seals=F("seals") + SEALS_RESERVED):
                return False
            seals = rows.values_list("seals", flat=True).first() or 0
            if seals >= SEALS_LIMIT:
                rows.update(state=KeyState.RETIRED)
                _ask_for_new_seals(handle)
                return False
        if seals >= SEALS_WARNING:
            _log.warning("a data key has sealed %d values: rotate it", seals)
        handle.spare = SEALS_RESERVED
        return True

    def _note_revocations(self) -> None:
        """Remember the newest revocation before the first key is cached."""
        if self._seen is None:
            newest = Revocation.objects.using(KEYS).aggregate(newest=Max("number"))["newest"]
            self._seen = newest or 0

    def _drop_revoked(self) -> None:
        rows = prepared.fetch(_REVOKED_SINCE, [self._seen or 0], using=KEYS)
        revoked = cast("list[tuple[int, int]]", rows)
        if revoked:
            self.forget([wrapping.id_bytes(key_id) for _, key_id in revoked])
            self._seen = revoked[-1][0]
        if any(key_id == LOOK_AGAIN for _, key_id in revoked):
            self.look_again()


def realm(owner_kind: str, purpose: str = DATA) -> str:
    """Return what sealed fields compare with a key besides its owner: one text is quick."""
    return f"{owner_kind} {purpose}"


def data_key_facts(row: DataKey | WrappedKey) -> Context:
    """Return what is bound to a wrapped data key."""
    return {
        "key": wrapping.id_bytes(row.id).hex(),
        "owner_kind": str(row.owner_kind),
        "owner": str(row.owner_id),
        "purpose": row.purpose,
        "epoch": row.epoch_id,
    }


def owner_digest(owner: Owner) -> bytes:
    """Return the digest under which the erasure ledger knows an owner."""
    return hashlib.sha256(_LEDGER_PREFIX + f"{owner.kind}:{owner.id}".encode()).digest()


def is_erased(owner: Owner, *, alias: str = KEYS) -> bool:
    """Say whether the erasure ledger has an entry for an owner."""
    entries = ErasureLedgerEntry.objects.using(alias)
    return entries.filter(owner_digest=owner_digest(owner)).exists()


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _new_key(owner: Owner, purpose: str, kek: Kek) -> tuple[DataKey, bytes]:
    raw = wrapping.new_key()
    row = DataKey(
        id=wrapping.id_number(wrapping.new_key_id()),
        owner_kind=str(owner.kind),
        owner_id=owner.id,
        purpose=purpose,
        epoch_id=kek.row_id,
        seals=SEALS_RESERVED,
    )
    row.blob = wrapping.wrap(kek.cipher, raw, data_key_facts(row))
    return row, raw


def _insert(rows: Sequence[DataKey], alias: str) -> None:
    columns = zip(
        *((r.id, r.owner_kind, r.owner_id, r.purpose, r.epoch_id, r.blob) for r in rows),
        strict=True,
    )
    arrays = [list(column) for column in columns]
    if arrays:
        prepared.execute(_INSERT_KEYS, [SEALS_RESERVED, *arrays], using=alias)


def _ask_for_new_seals(handle: KeyHandle) -> None:
    """Start the run that seals the values of worn keys anew, unless one is open."""
    if handle.purpose == DATA:
        run = RotationRun(kind=RotationKind.DATA_KEYS, purpose=handle.kind, target=WORN)
        run.started_by = "nonce budget"
        RotationRun.objects.using(KEYS).bulk_create([run], ignore_conflicts=True)


def _epoch_purpose(purpose: str) -> str:
    return VAULT if purpose == VAULT else GENERAL


def _active_key(owner: Owner, purpose: str, alias: str) -> DataKey | None:
    rows = DataKey.objects.using(alias)
    return rows.filter(
        owner_kind=str(owner.kind), owner_id=owner.id, purpose=purpose, state=KeyState.ACTIVE
    ).first()


keyring: Final = Keyring(ring)
