"""What is told where a sealed value cannot be opened or sealed: which row and field, no value.

An error report shows the variables of all frames an error passed. Those of this package hold
plaintext, ciphertext and keys: so the error that leaves a field has passed none of them, and no
cause of it has.
"""

import hashlib
from typing import Final

from django.core.cache import cache

from encryption.errors import Erased, NotStorable, Placed, Tampered, Unreadable
from encryption.values import Sealed
from foundation.contracts import key_journal
from foundation.contracts.key_journal import KeyEvent
from foundation.errors import AWAY, DomainError

INCIDENT_SECONDS: Final = 24 * 3600

_PLACED = (Unreadable, Erased, NotStorable)
# What decoding raises; each of them holds what it could not decode.
_UNFIT = (ValueError, ArithmeticError, RecursionError)


def of_opening(error: Exception, label: str, sealed: Sealed) -> Exception:
    """Return the error to raise where a stored value could not be opened; journal tampering."""
    row = sealed.row_name()
    if isinstance(error, Tampered):
        _journal_once(label, row, sealed)
    if isinstance(error, _UNFIT):
        error = Unreadable("a sealed value does not fit its field", code="encryption.unfit")
    return _placed(bare(error), label, row)


def of_sealing(error: Exception, label: str, sealed: Sealed) -> Exception:
    """Return the error to raise where a value could not be sealed."""
    return _placed(bare(error), label, sealed.row_name())


def bare(error: Exception) -> Exception:
    """Return an error without the frames it and its causes passed.

    Causes that are a ``ValueError`` go altogether: those of codecs hold the text.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    is_kept = isinstance(cause, Exception) and not isinstance(cause, _UNFIT)
    error.__context__ = None
    error.__cause__ = bare(cause) if is_kept and isinstance(cause, Exception) else None
    return error.with_traceback(None)


def _placed(error: Exception, label: str, row: str) -> Exception:
    if isinstance(error, _PLACED) and isinstance(error, Placed) and not error.label:
        error.label, error.row = label, row
        _tell(error, f"{error.message} ({label}, row {row})")
    return error


def _tell(error: DomainError, message: str) -> None:
    error.message = message
    error.args = (message,)


def _journal_once(label: str, row: str, sealed: Sealed) -> None:
    """Write one entry for each changed cell and what it holds now, not one for each look at it.

    After a day it is written again if the cell still stands; so it is if the cache is away.
    """
    seen = hashlib.sha256(f"{label} {row} {sealed.digest()}".encode()).hexdigest()
    try:
        is_first = cache.add(f"encryption.tampered.{seen}", 1, timeout=INCIDENT_SECONDS)
    except AWAY:
        is_first = True
    if is_first:
        details = {"label": label, "row": row}
        key_journal.record(KeyEvent("encryption.value.tampered", "failure", details))
