"""Key service on a root key in a file of mode 0600.

The file holds one line per root version: ``gatehouse-root-key 1 <number> <44 characters base64>``.
The last line wraps; all lines unwrap. A blob is ``01 | version 4 B | nonce 12 B | ciphertext |
tag 16 B`` by AES-256-GCM, with the canonical context behind the header as associated data.

A copy of the file in a snapshot or backup defeats the destruction of a root version: keep it on
its own path, out of the data backup.
"""

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from encryption.providers.base import (
    KEY_BYTES,
    BadBlob,
    Context,
    Health,
    Refused,
    Unavailable,
    canonical,
    generated,
    probed,
)

_MAGIC = "gatehouse-root-key 1"
_FORMAT = b"\x01"
_HEADER = 5
_NONCE = 12
_TAG = 16
_FOREIGN_BITS = stat.S_IRWXG | stat.S_IRWXO


def create(path: Path) -> None:
    """Make a new root key file of mode 0600; an existing file is never touched.

    Raises:
        FileExistsError: there is a file already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(_line(1, secrets.token_bytes(KEY_BYTES)))
        file.flush()
        os.fsync(file.fileno())


def add_version(path: Path) -> int:
    """Add a root version, which wraps from now on; return its number.

    The file is replaced in one step; a process that reads meanwhile sees the old or the new one.

    Raises:
        Refused: the file is damaged, or others can read it.
        Unavailable: it cannot be read or written.
    """
    with _rewriting(path) as (keys, replace):
        number = max(keys) + 1
        replace({**keys, number: secrets.token_bytes(KEY_BYTES)})
    return number


def destroy(path: Path, number: int) -> None:
    """Take a root version out of the file: what it alone wrapped is unreadable from then on.

    The old bytes may live on in the disk's free blocks, in snapshots and in copies of the file; the
    receipt of an erasure counts on the operator for these (docs/how-to/key-file.md).

    Raises:
        Refused: the file does not hold the version, or the version is the one that wraps.
        Unavailable: the file cannot be read or written.
    """
    with _rewriting(path) as (keys, replace):
        if number not in keys:
            raise Refused(gettext_lazy("the key file does not hold this root version"))
        if number == max(keys):
            raise Refused(
                gettext_lazy("the newest root version wraps: add one before destroying it")
            )
        replace({held: raw for held, raw in keys.items() if held != number})


def from_settings() -> "KeyFile":
    """Return the key service that the settings describe."""
    return KeyFile(Path(settings.ROOT_KEY_FILE))


class KeyFile:
    """The key service; it reads the file again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[int, AESGCM] = {}

    @property
    def version(self) -> str:
        """Name of the root version that wraps new blobs."""
        return _name(max(self._load()))

    def version_of(self, blob: bytes) -> str:
        """Return the name of the root version that wrapped a blob."""
        return _name(_number_of(blob))

    def generate(self, context: Context) -> tuple[bytes, bytes]:
        """Return a new key of 32 bytes and its blob."""
        return generated(self, context)

    def wrap(self, raw: bytes, context: Context) -> bytes:
        """Return the blob of a key."""
        keys = self._load()
        number = max(keys)
        header = _FORMAT + number.to_bytes(4, "big")
        nonce = secrets.token_bytes(_NONCE)
        return header + nonce + keys[number].encrypt(nonce, raw, header + canonical(context))

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key of a blob; errors as ``KeyService.unwrap``."""
        key = self._load().get(_number_of(blob))
        header, nonce, rest = blob[:_HEADER], blob[_HEADER : _HEADER + _NONCE], blob[17:]
        if key is None:
            raise Refused(gettext_lazy("the key file does not hold the root version of this blob"))
        try:
            return key.decrypt(nonce, rest, header + canonical(context))
        except InvalidTag as error:
            raise BadBlob("the root key does not open this blob") from error

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return a blob of the same key under the present root version."""
        return self.wrap(self.unwrap(blob, context), context)

    def health(self) -> Health:
        """Wrap and unwrap a probe."""
        return probed(self)

    def _load(self) -> dict[int, AESGCM]:
        try:
            with self._path.open("rb") as file:
                facts = os.fstat(file.fileno())
                seen = (facts.st_ino, facts.st_mtime_ns, facts.st_mode)
                if seen != self._seen:
                    _require_private(facts)
                    self._keys = {
                        number: AESGCM(raw) for number, raw in _parse(file.read()).items()
                    }
                    self._seen = seen
        except OSError as error:
            words = gettext_lazy("the root key file cannot be read: {problem}")
            raise Unavailable(format_lazy(words, problem=error.strerror)) from error
        return self._keys


def _name(number: int) -> str:
    return f"key_file:{number}"


def _number_of(blob: bytes) -> int:
    if len(blob) != _HEADER + _NONCE + KEY_BYTES + _TAG or blob[:1] != _FORMAT:
        raise BadBlob("the blob is not one of the key file")
    return int.from_bytes(blob[1:_HEADER], "big")


def _line(number: int, raw: bytes) -> str:
    return f"{_MAGIC} {number} {base64.b64encode(raw).decode()}\n"


@contextmanager
def _rewriting(path: Path) -> Iterator[tuple[dict[int, bytes], Callable[[dict[int, bytes]], None]]]:
    """Give the keys of the file and what replaces them; one process at a time."""
    try:
        with (path.parent / f"{path.name}.lock").open("w") as lock:
            flock(lock, LOCK_EX)
            with path.open("rb") as file:
                _require_private(os.fstat(file.fileno()))
                keys = _parse(file.read())
            yield keys, lambda kept: _replace(path, kept)
    except OSError as error:
        words = gettext_lazy("the root key file cannot be rewritten: {problem}")
        raise Unavailable(format_lazy(words, problem=error.strerror)) from error


def _replace(path: Path, keys: dict[int, bytes]) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
        file.writelines(_line(number, raw) for number, raw in sorted(keys.items()))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_private(facts: os.stat_result) -> None:
    if facts.st_mode & _FOREIGN_BITS:
        raise Refused(gettext_lazy("the root key file can be read by others: set its mode to 0600"))


def _parse(content: bytes) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for line in content.decode("ascii", "replace").splitlines():
        number, raw = _parse_line(line)
        if number in keys or len(raw) != KEY_BYTES:
            raise Refused(gettext_lazy("the root key file is damaged"))
        keys[number] = raw
    if not keys:
        raise Refused(gettext_lazy("the root key file is empty"))
    return keys


def _parse_line(line: str) -> tuple[int, bytes]:
    magic, _, rest = line.rpartition(" ")
    magic, _, number = magic.rpartition(" ")
    if magic != _MAGIC or not number.isdecimal():
        raise Refused(gettext_lazy("the root key file is damaged"))
    try:
        return int(number), base64.b64decode(rest, validate=True)
    except binascii.Error as error:
        raise Refused(gettext_lazy("the root key file is damaged")) from error
