"""Blind index: equality look-up of sealed values by keyed digest (encryption.md 5).

``HMAC-SHA256(K, version | normal form)[:16]``; K is derived from the index root by label and epoch.
For values of high entropy only: an index shows equality and frequency.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Final, cast
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import IntegrityError, connections, models, transaction
from django.db.models.expressions import Combinable, Expression
from django.db.models.sql.compiler import SQLCompiler

from encryption import wrapping
from encryption.database import keys_database
from encryption.epochs import ring
from encryption.fields import AnySealedField, as_uuid
from encryption.key_tables import BlindIndexEntry, IndexKey
from encryption.normalisation import VERSION
from encryption.providers.base import KEY_BYTES, Context
from encryption.router import KEYS
from encryption.types import GENERAL, KeyState, Owner

DIGEST_BYTES: Final = 16

_VERSION = bytes([VERSION])
_INFO = b"gatehouse blind index v1"
# Arrays, because Django's bulk insert of bytes sends one parameter per cell.
_INSERT = """
INSERT INTO encryption_blindindexentry (epoch, norm, label, digest, row, owner_kind, owner)
SELECT %s, %s, given.* FROM UNNEST(%s::text[], %s::bytea[], %s::uuid[], %s::text[], %s::uuid[])
AS given
"""


class IndexKeys:
    """The index keys of this process, one per label, derived from the active index root."""

    def __init__(self) -> None:
        self._root: tuple[int, bytes] | None = None
        self._derived: dict[bytes, bytes] = {}

    def epoch(self) -> int:
        """Return the number of the active index root."""
        return self._active()[0]

    def key(self, label: bytes) -> bytes:
        """Return the key of one label."""
        key = self._derived.get(label)
        if key is None:
            _, root = self._active()
            kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=_INFO + label)
            key = self._derived[label] = kdf.derive(root)
        return key

    def drop(self) -> None:
        """Forget the keys of this process."""
        self._root = None
        self._derived.clear()

    def _active(self) -> tuple[int, bytes]:
        if self._root is None:
            with keys_database():
                row = _active_row() or _make()
            kek = ring.get(row.epoch_id, GENERAL)
            raw = wrapping.unwrap(kek.cipher, bytes(row.blob), _facts(row))
            self._root = row.epoch_number, raw
        return self._root


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
    message = _VERSION + normal
    return hmac.digest(keys.key(field.label_part), message, hashlib.sha256)[:DIGEST_BYTES]


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
    return BlindMatch(field.label, [digest_of_normal(field, normal)])


def add(instances: Sequence[models.Model], fields: Sequence[AnySealedField], *, using: str) -> None:
    """Add the digests of some fields of rows that have none, in the caller's transaction."""
    values = [
        (field, instance, value)
        for instance in instances
        for field in fields
        if (value := getattr(instance, field.attname)) is not None
    ]
    if not values:
        return
    columns = (
        [field.label for field, _, _ in values],
        [digest(field, value) for field, _, value in values],
        [as_uuid(instance.pk) for _, instance, _ in values],
        [str(field.owner_kind) for field, _, _ in values],
        [as_uuid(getattr(instance, field.owner)) for field, instance, _ in values],
    )
    with connections[using].cursor() as cursor:
        cursor.execute(_INSERT, [keys.epoch(), VERSION, *columns])


def forget(
    rows: Iterable[UUID | str],
    fields: Sequence[AnySealedField],
    *,
    using: str,
) -> None:
    """Delete the digests of some fields of some rows."""
    labels = [field.label for field in fields]
    BlindIndexEntry.objects.using(using).filter(row__in=rows, label__in=labels).delete()


def forget_owner(owner: Owner, *, using: str) -> None:
    """Delete all digests of values that an owner's keys seal."""
    entries = BlindIndexEntry.objects.using(using)
    entries.filter(owner=owner.id, owner_kind=str(owner.kind)).delete()


def _active_row() -> IndexKey | None:
    return IndexKey.objects.using(KEYS).filter(state=KeyState.ACTIVE).first()


def _make() -> IndexKey:
    kek = ring.active(GENERAL)
    row = IndexKey(epoch_number=1, epoch_id=kek.row_id)
    row.blob = wrapping.wrap(kek.cipher, wrapping.new_key(), _facts(row))
    try:
        with transaction.atomic(using=KEYS):
            row.save(using=KEYS, force_insert=True)
    except IntegrityError:
        return IndexKey.objects.using(KEYS).get(epoch_number=1)  # another process was quicker
    return row


def _facts(row: IndexKey) -> Context:
    return {"index": row.epoch_number, "epoch": row.epoch_id}


keys: Final = IndexKeys()
ring.on_refusal.append(keys.drop)
