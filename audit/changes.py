"""What changed on an object, written so that no entry holds a personal or sealed value in clear.

The class of a field decides (audit.md 2): plain fields show both values; personal ones are sealed
under the person's key; sealed ones leave fingerprints; secrets leave only that they changed.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from django.db.models import Field, Model

from audit import canonical
from audit.types import Change, Changes, EntryRefused
from encryption import services as keys
from encryption.fields import SealedField
from encryption.sealed import Sealed
from foundation.contracts.personal_data import FieldClass, personal_data

FINGERPRINT_PURPOSE = "audit.fingerprint"
FINGERPRINT_BYTES = 8

Row = TypeVar("Row", bound=Model)

_CLEAR = {FieldClass.NONE, FieldClass.LINK}
_SECRET = FieldClass.SECRET
_UNCLASSED = FieldClass.CONTENT


def snapshot(row: Row) -> Row:
    """Return a copy of an object as it stands now, to compare with later."""
    return copy(row)


def diff(before: Model | None, after: Model | None) -> Changes:
    """Return what differs between two states of one object.

    Args:
        before: the object before (:func:`snapshot`); None where it is created.
        after: the object after; None where it is deleted.

    Raises:
        EntryRefused: the two are no states of one kind of object.
    """
    sample = after if after is not None else before
    if sample is None or (before is not None and type(before) is not type(sample)):
        raise EntryRefused("diff compares two states of one kind of object")
    changes: dict[str, Change] = {}
    for column in sample._meta.concrete_fields:  # noqa: SLF001  Django's model API
        if not column.primary_key and _differs(column, before, after):
            changes[column.name] = _change(column, sample, before, after)
    return changes


def of_pairs(pairs: Mapping[str, "Change | tuple[object, object]"]) -> Changes:
    """Return changes given as pairs of plain values (before, after)."""
    return {
        name: pair if isinstance(pair, Change) else Change(clear=_both(*pair))
        for name, pair in pairs.items()
    }


def class_of(model: type[Model], name: str) -> FieldClass:
    """Return the declared class of a column; undeclared ones count as personal."""
    return _classes(model._meta.label).get(name, _UNCLASSED)  # noqa: SLF001


def _differs(column: "Field[object, object]", before: Model | None, after: Model | None) -> bool:
    return _value(column, before) != _value(column, after)


def _value(column: "Field[object, object]", row: Model | None) -> object:
    return None if row is None else getattr(row, column.attname)


def _change(
    column: "Field[object, object]", sample: Model, before: Model | None, after: Model | None
) -> Change:
    old, new = _value(column, before), _value(column, after)
    if isinstance(column, SealedField):
        return Change(clear=_fingerprints(column, sample, old, new) | _stored(column, after))
    kind = class_of(type(sample), column.name)
    if kind is _SECRET:
        return Change(clear={"changed": True})
    if kind in _CLEAR:
        return Change(clear=_both(old, new))
    return Change(clear={"personal": True}, personal=_both(old, new))


def _both(old: object, new: object) -> dict[str, object]:
    return {"from": canonical.text_of(old), "to": canonical.text_of(new)}


def _fingerprints(
    column: SealedField[object, object], sample: Model, old: object, new: object
) -> dict[str, object]:
    owner = getattr(sample, "organisation_id", None) or getattr(sample, "subject_id", None)
    key = _fingerprint_key(owner if isinstance(owner, UUID) else UUID(int=0), column.label)
    return {"from": _fingerprint(key, old), "to": _fingerprint(key, new)}


def _fingerprint_key(owner: UUID, label: str) -> bytes:
    return keys.mac(FINGERPRINT_PURPOSE, owner.bytes + label.encode())


def _fingerprint(key: bytes, value: object) -> str | None:
    if value is None:
        return None
    digest = hmac.digest(key, _written(value), hashlib.sha256)
    return f"fp1:{digest[:FINGERPRINT_BYTES].hex()}"


def _written(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()


def _stored(column: SealedField[object, object], after: Model | None) -> dict[str, object]:
    # After the save: an old cell put back later differs from the newest digest in the journal.
    kept = None if after is None else after.__dict__.get(column.attname)
    return {"stored": kept.digest()} if isinstance(kept, Sealed) else {}


@lru_cache(maxsize=256)
def _classes(model: str) -> Mapping[str, FieldClass]:
    for source in personal_data:
        if source.model == model:
            return source.fields
    return {}
