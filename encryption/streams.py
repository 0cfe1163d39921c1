"""Sealed files (encryption.md 11).

Header of 78 bytes: magic 4 B, version, algorithm, segment size as power of two, key id 8 B, salt
32 B, nonce prefix 7 B, length 8 B (all ones: unknown), commitment 16 B. File key and commitment are
HKDF-SHA256(data key, salt, label | document id | header before the commitment). Segments of 64 KiB
by AES-256-GCM; nonce = prefix | counter 4 B | last flag.
"""

import hmac
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from encryption import envelope
from encryption.errors import Tampered
from encryption.keyring import keyring
from encryption.types import DATA, Owner

SEGMENT_BYTES: Final = 65_536
VERIFY_ALL_BYTES: Final = 8 * 1024 * 1024

_MAGIC = b"GHSF"
_KIND = bytes([1, 1, 16])
_UNKNOWN = 2**64 - 1
_BEFORE_COMMITMENT = 62
_HEADER = 78
_TAG = 16
_SEALED_SEGMENT = SEGMENT_BYTES + _TAG
# Read, sealed and written at once: a sixteenth of the calls that segments would take
# (docs/reference/benchmarks.md).
_BATCH_SEGMENTS = 16
_BATCH_BYTES = _BATCH_SEGMENTS * SEGMENT_BYTES


@dataclass(frozen=True, slots=True)
class Place:
    """What a sealed file is bound to: whose key, which kind of file, which document."""

    owner: Owner
    label: str
    document_id: UUID

    @property
    def info(self) -> bytes:
        """Return the bytes that enter the file key."""
        return envelope.label_part(self.label) + self.document_id.bytes


@dataclass(frozen=True, slots=True)
class _File:
    source: BinaryIO
    cipher: AESGCM
    prefix: bytes
    length: int
    is_declared: bool

    @property
    def segments(self) -> int:
        return max(1, -(-self.length // SEGMENT_BYTES))

    def segment(self, number: int) -> bytes:
        """Return one opened segment."""
        is_last = number == self.segments - 1
        size = self.length - number * SEGMENT_BYTES if is_last else SEGMENT_BYTES
        self.source.seek(_HEADER + number * _SEALED_SEGMENT)
        try:
            sealed = self.source.read(size + _TAG)
            return self.cipher.decrypt(_nonce(self.prefix, number, is_last=is_last), sealed, None)
        except InvalidTag as error:
            raise Tampered("a sealed file was changed") from error


def seal_stream(
    source: BinaryIO, target: BinaryIO, place: Place, *, length: int | None = None
) -> int:
    """Seal a file and return the number of plain bytes.

    Args:
        source: read to its end.
        target: written from its present position.
        place: owner, label and document.
        length: number of bytes, where it is known; else readers verify the whole file first.

    Raises:
        ValueError: the source has another length than given.
    """
    handle = keyring.for_sealing(place.owner)
    prefix = os.urandom(7)
    salt = os.urandom(32)
    declared = _UNKNOWN if length is None else length
    start = b"".join((_MAGIC, _KIND, handle.key_id, salt, prefix, declared.to_bytes(8, "big")))
    key, commitment = _derive(handle.raw, salt, place, start)
    target.write(start + commitment)
    written = _write_segments(source, target, AESGCM(key), prefix)
    if length is not None and written != length:
        raise ValueError("the source has another length than given")
    return written


def open_stream(source: BinaryIO, place: Place) -> Iterator[bytes]:
    """Give the plain bytes of a sealed file in segments.

    Up to 8 MiB, or where the length is not declared, everything is verified before the first byte
    is given. In a larger file commitment, length and last segment are verified first; a later
    failure raises in the middle, and the caller must break off, never end cleanly.

    Args:
        source: the sealed file, seekable.
        place: owner, label and document it must belong to.

    Raises:
        Tampered: changed, cut, or of another place.
        Erased: the owner's keys were destroyed.
        KeyLost: the key is not in the keys database.
    """
    file = _open(source, place)
    if file.length <= VERIFY_ALL_BYTES:
        return iter([file.segment(number) for number in range(file.segments)])
    file.segment(file.segments - 1)
    if not file.is_declared:
        for number in range(file.segments):
            file.segment(number)
    return (file.segment(number) for number in range(file.segments))


def read_range(source: BinaryIO, place: Place, *, start: int, stop: int) -> bytes:
    """Return some bytes of a sealed file, opening only the segments they lie in.

    Raises:
        ValueError: the range is not inside the file.
        Tampered: as ``open_stream``.
    """
    file = _open(source, place)
    if not 0 <= start <= stop <= file.length:
        raise ValueError("the range is not inside the file")
    first, last = start // SEGMENT_BYTES, max(start, stop - 1) // SEGMENT_BYTES
    numbers = range(first, min(last, file.segments - 1) + 1)
    opened = b"".join(file.segment(number) for number in numbers)
    offset = first * SEGMENT_BYTES
    return opened[start - offset : stop - offset]


def _write_segments(source: BinaryIO, target: BinaryIO, cipher: AESGCM, prefix: bytes) -> int:
    written, number = 0, 0
    sealed = bytearray(_BATCH_SEGMENTS * _SEALED_SEGMENT)
    batch = _read_full(source)
    while True:
        following = _read_full(source) if len(batch) == _BATCH_BYTES else b""
        nonces = _nonces(prefix, number, len(batch), is_end=not following)
        end = _seal_batch(cipher, batch, nonces, memoryview(sealed))
        target.write(memoryview(sealed)[:end])
        written += len(batch)
        if not following:
            return written
        batch, number = following, number + len(nonces)


def _nonces(prefix: bytes, first: int, length: int, *, is_end: bool) -> list[bytes]:
    """Return the nonce of each segment of a batch; an empty file has one segment."""
    stop = first + max(1, -(-length // SEGMENT_BYTES))
    return [
        _nonce(prefix, number, is_last=is_end and number == stop - 1)
        for number in range(first, stop)
    ]


def _seal_batch(cipher: AESGCM, batch: bytes, nonces: Sequence[bytes], sealed: memoryview) -> int:
    """Seal the segments of a batch one after another into a buffer; return where they end."""
    end, plain = 0, memoryview(batch)
    for place, nonce in enumerate(nonces):
        segment = plain[place * SEGMENT_BYTES : (place + 1) * SEGMENT_BYTES]
        room = sealed[end : end + len(segment) + _TAG]
        end += cipher.encrypt_into(nonce, segment, None, room)
    return end


def _read_full(source: BinaryIO) -> bytes:
    """Read one batch; a pipe may give less at a time."""
    part = source.read(_BATCH_BYTES)
    parts, wanted = [part], _BATCH_BYTES - len(part)
    while wanted and part:
        part = source.read(wanted)
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts) if len(parts) > 1 else parts[0]


def _open(source: BinaryIO, place: Place) -> _File:
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    header = source.read(_HEADER)
    if len(header) != _HEADER or header[:7] != _MAGIC + _KIND:
        raise Tampered("a sealed file has an unknown format")
    start, commitment = header[:_BEFORE_COMMITMENT], header[_BEFORE_COMMITMENT:]
    key = _file_key(start, commitment, place)
    declared = int.from_bytes(start[54:62], "big")
    length = _length_of(size - _HEADER)
    if declared not in {_UNKNOWN, length}:
        raise Tampered("a sealed file was cut or extended")
    return _File(source, AESGCM(key), start[47:54], length, is_declared=declared != _UNKNOWN)


def _file_key(start: bytes, commitment: bytes, place: Place) -> bytes:
    handle = keyring.get(start[7:15])
    if handle is None:
        raise keyring.why_missing(place.owner)
    facts = (handle.owner_id, handle.kind, handle.purpose)
    if facts != (place.owner.id, place.owner.kind, DATA):
        raise Tampered("a sealed file belongs to another owner")
    key, expected = _derive(handle.raw, start[15:47], place, start)
    if not hmac.compare_digest(commitment, expected):
        raise Tampered("a sealed file was changed, or belongs to another document")
    return key


def _length_of(body: int) -> int:
    segments = max(1, -(-body // _SEALED_SEGMENT))
    length = body - _TAG * segments
    if length < 0:
        raise Tampered("a sealed file was cut")
    return length


def _derive(raw: bytes, salt: bytes, place: Place, start: bytes) -> tuple[bytes, bytes]:
    kdf = HKDF(hashes.SHA256(), length=48, salt=salt, info=place.info + start)
    derived = kdf.derive(raw)
    return derived[:32], derived[32:]


def _nonce(prefix: bytes, number: int, *, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([is_last])
