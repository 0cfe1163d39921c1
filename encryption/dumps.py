"""Dumps of rows with sealed values: ``dumpdata`` writes the stored bytes, ``loaddata`` takes them.

A dump holds no plaintext. What it holds opens in the installation whose keys sealed it, in the row
it stood in; put into another row or installation it is refused like any moved value. Blind-index
digests are rows of their own, dumped beside or rebuilt.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_MARK = "sealed:"
_open: ContextVar[bool] = ContextVar("sealed values are dumped as stored", default=False)


@contextmanager
def as_stored() -> Iterator[None]:
    """Let serialisers write and read sealed values as they are stored."""
    token = _open.set(True)
    try:
        yield
    finally:
        _open.reset(token)


def is_open() -> bool:
    """Say whether serialisers may write and read stored bytes."""
    return _open.get()


def written(ciphertext: bytes) -> str:
    """Return the text of a sealed value in a dump."""
    return _MARK + base64.b64encode(ciphertext).decode()


def read(value: object) -> bytes | None:
    """Return the stored bytes of a text in a dump; None if it is none of ``written``.

    It does not raise: loaders put what a field refuses into their message.
    """
    if not isinstance(value, str) or not value.startswith(_MARK):
        return None
    try:
        return base64.b64decode(value.removeprefix(_MARK), validate=True)
    except ValueError:
        return None
