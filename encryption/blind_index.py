"""Blind index: equality look-up of sealed values by keyed digest (encryption.md 5).

``HMAC-SHA256(K, version | normal form)[:16]``; K is derived from the index root by label and epoch.
For values of high entropy only: an index shows equality and frequency.

While the index root rotates two roots live: what is written gets a digest under each, and look-ups
compare both.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, cast
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import IntegrityError, connections, models
from django.db.models.expressions import Combinable, Expression
from django.db.models.sql.compiler import SQLCompiler

from encryption import wrapping
from encryption.database import keys_database
from encryption.epochs import RETRY_SECONDS, Kek, ring
from encryption.errors import KeysUnavailable
from encryption.fields import AnySealedField, as_uuid
from encryption.key_tables import BlindIndexEntry, IndexKey
from encryption.keyring import LIFE_SECONDS, keyring
from encryption.normalisation import VERSION
from encryption.providers.base import KEY_BYTES, Context
from encryption.router import KEYS
from encryption.types import GENERAL, KeyState, Owner

DIGEST_BYTES: Final = 16

_VERSION = bytes([VERSION])
_INFO = b"gatehouse blind index v1"
# Arrays, because Django's bulk insert of bytes sends one parameter per cell.
INSERT: Final = """
INSERT INTO encryption_blindindexentry (norm, epoch, label, digest, row, owner_kind, owner)
SELECT %s, given.* FROM
UNNEST(%s::int[], %s::text[], %s::bytea[], %s::uuid[], %s::text[], %s::uuid[]) AS given
"""


class LabelKey(NamedTuple):
    """The key of one label under one index root."""

    epoch: int
    key: bytes


class IndexKeys:
    """The index keys of this process, derived by label from the live index roots.

    The roots are read again now and then, or when ``drop`` is called: a new one may live.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._roots: tuple[tuple[int, bytes], ...] = ()
        self._expires_at = 0.0
        self._derived: dict[bytes, tuple[LabelKey, ...]] = {}

    def epoch(self) -> int:
        """Return the number of the active index root."""
        return self._live()[0][0]

    def key(self, label: bytes) -> bytes:
        """Return the key of one label under the active index root."""
        return self.keys(label)[0].key

    def keys(self, label: bytes) -> tuple[LabelKey, ...]:
        """Return the keys of one label under all live index roots, the active one first."""
        derived = self._derived.get(label)
        if derived is None or self._expires_at <= self._clock():
            roots = self._live()  # may empty what was derived
            derived = self._derived.get(label) or tuple(
                LabelKey(number, _derive(root, label)) for number, root in roots
            )
            self._derived[label] = derived
        return derived

    def drop(self) -> None:
        """Forget the keys of this process."""
        self._roots = ()
        self._derived.clear()

    def _live(self) -> tuple[tuple[int, bytes], ...]:
        if self._roots and self._expires_at > self._clock():
            return self._roots
        try:
            with keys_database():
                rows = _live_rows() or [_make()]
            roots = tuple((row.epoch_number, _unwrapped(row)) for row in rows)
        except KeysUnavailable:
            if not self._roots:
                raise
            self._expires_at = self._clock() + RETRY_SECONDS
            return self._roots
        if roots != self._roots:
            self._derived.clear()
        self._roots, self._expires_at = roots, self._clock() + LIFE_SECONDS
        return roots


class BlindMatch(Expression):
    """Condition "the row is listed for one of these digests", one prebuilt array look-up."""

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, label: str, digests: Sequence[bytes]) -> None:
        super().__init__()
        self._key: Combinable = models.F("pk")
        self._label = label
        self._digests = list(digests)

    def get_source_expressions(self) -> list[Combinable]:
        """Return the compared column."""
        return [self._key]

    def set_source_expressions(self, exprs: Sequence[Combinable | Expression]) -> None:
        """Set the compared column."""
        (self._key,) = exprs

    def as_sql(
        self,
        compiler: SQLCompiler,
        connection: object,  # noqa: ARG002  Django's hook
    ) -> tuple[str, tuple[str | int, ...]]:
        """Return the condition."""
        column, params = compiler.compile(cast("Expression", self._key))
        table = BlindIndexEntry._meta.db_table  # noqa: SLF001  Django's model API
        places = ", ".join(["%s"] * len(self._digests))
        sql = (
            f"{column} = ANY(ARRAY(SELECT row FROM {table} "  # noqa: S608  our own names
            f"WHERE label = %s AND digest IN ({places})))"
        )
        return sql, cast("tuple[str | int, ...]", (*params, self._label, *self._digests))


def digest(field: AnySealedField, value: object) -> bytes:
    """Return the digest of a value under the active index root."""
    return digest_of_normal(field, field.normalise(value))


def digest_of_normal(field: AnySealedField, normal: bytes) -> bytes:
    """Return the digest of a normal form under the active index root."""
    return digest_under(keys.key(field.label_part), normal)


def digests_of_normal(field: AnySealedField, normal: bytes) -> list[bytes]:
    """Return the digests of a normal form under all live index roots, for look-ups."""
    return [digest_under(found.key, normal) for found in keys.keys(field.label_part)]


def digest_under(key: bytes, normal: bytes) -> bytes:
    """Return the digest of a normal form under the key of its label."""
    return hmac.digest(key, _VERSION + normal, hashlib.sha256)[:DIGEST_BYTES]


def match(field: AnySealedField, value: object) -> BlindMatch:
    """Return the condition that a row's value may equal this one; compare the opened values.

    Raises:
        TypeError: the field has no blind index.
    """
    return match_normal(field, field.normalise(value))


def match_normal(field: AnySealedField, normal: bytes) -> BlindMatch:
    """Return the condition for a value in its normal form; errors as :func:`match`."""
    if not field.blind_index:
        raise TypeError(f"{field.label} has no blind index")
    return BlindMatch(field.label, digests_of_normal(field, normal))


def add(instances: Sequence[models.Model], fields: Sequence[AnySealedField], *, using: str) -> None:
    """Add the digests of some fields of rows that have none, in the caller's transaction."""
    values = [
        (field, instance, field.normalise(value))
        for instance in instances
        for field in fields
        if (value := getattr(instance, field.attname)) is not None
    ]
    if not values:
        return
    listed = [
        (root.epoch, digest_under(root.key, normal), field, instance)
        for field, instance, normal in values
        for root in keys.keys(field.label_part)
    ]
    columns = (
        [epoch for epoch, _, _, _ in listed],
        [field.label for _, _, field, _ in listed],
        [digest for _, digest, _, _ in listed],
        [as_uuid(instance.pk) for _, _, _, instance in listed],
        [str(field.owner_kind) for _, _, field, _ in listed],
        [as_uuid(getattr(instance, field.owner)) for _, _, field, instance in listed],
    )
    with connections[using].cursor() as cursor:
        cursor.execute(INSERT, [VERSION, *columns])


def forget(
    rows: Iterable[UUID | str],
    fields: Sequence[AnySealedField],
    *,
    using: str,
) -> None:
    """Delete the digests of some fields of some rows."""
    labels = [field.label for field in fields]
    BlindIndexEntry.objects.using(using).filter(row__in=rows, label__in=labels).delete()


def forget_owner(owner: Owner, *, using: str) -> int:
    """Delete all digests of values that an owner's keys seal; return how many there were."""
    entries = BlindIndexEntry.objects.using(using)
    return entries.filter(owner=owner.id, owner_kind=str(owner.kind)).delete()[0]


def make_root(number: int, *, state: KeyState) -> IndexKey:
    """Make an index root; where another process was quicker, return that one."""

    def make(kek: Kek, alias: str) -> IndexKey:
        row = IndexKey(epoch_number=number, epoch_id=kek.row_id, state=state)
        row.blob = wrapping.wrap(kek.cipher, wrapping.new_key(), index_key_facts(row))
        row.save(using=alias, force_insert=True)
        return row

    try:
        return ring.under_active(GENERAL, make)
    except IntegrityError:
        return IndexKey.objects.using(KEYS).get(epoch_number=number)


def index_key_facts(row: IndexKey) -> Context:
    """Return what is bound to a wrapped index root."""
    return {"index": row.epoch_number, "epoch": row.epoch_id}


def _live_rows() -> list[IndexKey]:
    rows = IndexKey.objects.using(KEYS).filter(state__in=(KeyState.ACTIVE, KeyState.PENDING))
    return list(rows.order_by("state"))  # active stands before pending in the alphabet


def _make() -> IndexKey:
    return make_root(1, state=KeyState.ACTIVE)


def _unwrapped(row: IndexKey) -> bytes:
    kek = ring.get(row.epoch_id, GENERAL)
    return wrapping.unwrap(kek.cipher, bytes(row.blob), index_key_facts(row))


def _derive(root: bytes, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=_INFO + label).derive(root)


keys: Final = IndexKeys()
ring.on_refusal.append(keys.drop)
keyring.on_notice.append(keys.drop)
