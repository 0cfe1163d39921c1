"""Sealed files: attacks at segment borders, ranges, lengths (encryption.md 11)."""

import hashlib
import io
import os
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from encryption.errors import Erased, KeyLost, Tampered
from encryption.key_tables import DataKey
from encryption.services import drop_keys, erase
from encryption.streams import (
    SEGMENT_BYTES,
    VERIFY_ALL_BYTES,
    Place,
    open_stream,
    read_range,
    seal_stream,
)
from tests.factories.encryption import subject
from tests.proofs import Tried

HEADER = 78
DOCUMENT = UUID("01890000-0000-7000-8000-000000000001")


@pytest.fixture
def place() -> Place:
    """Give owner, label and document of a file."""
    return Place(subject(), "t.file", DOCUMENT)


def sealed(plain: bytes, place: Place, *, length: int | None = None) -> bytes:
    target = io.BytesIO()
    seal_stream(io.BytesIO(plain), target, place, length=length)
    return target.getvalue()


def opened(file: bytes, place: Place) -> bytes:
    return b"".join(open_stream(io.BytesIO(file), place))


SIZES = [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_known", [True, False])
def test_files_of_all_sizes_come_back(size: int, is_known: bool, place: Place) -> None:  # noqa: FBT001
    plain = os.urandom(size)

    file = sealed(plain, place, length=size if is_known else None)

    assert len(file) == HEADER + size + 16 * max(1, -(-size // SEGMENT_BYTES))
    assert opened(file, place) == plain


def test_the_header_is_as_documented(place: Place) -> None:
    file = sealed(b"x" * 5, place, length=5)

    assert file[:7] == b"GHSF\x01\x01\x10"
    assert file[54:62] == (5).to_bytes(8, "big")
    assert sealed(b"x" * 5, place)[54:62] == b"\xff" * 8


def test_a_source_that_gives_little_at_a_time_is_read_to_its_end(place: Place) -> None:
    class Pipe(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(1000, size or 0))

    plain, target = os.urandom(SEGMENT_BYTES + 10), io.BytesIO()

    assert seal_stream(Pipe(plain), target, place) == len(plain)
    assert opened(target.getvalue(), place) == plain


def test_a_wrong_length_is_refused_while_sealing(place: Place) -> None:
    with pytest.raises(ValueError, match="another length"):
        sealed(b"abc", place, length=4)


ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    "cut at a segment border": lambda file: file[: HEADER + SEGMENT_BYTES + 16],
    "cut by one byte": lambda file: file[:-1],
    "cut to the header": lambda file: file[:HEADER],
    "cut inside the header": lambda file: file[:40],
    "extended": lambda file: file + b"\x00",
    "extended by a segment": lambda file: file + file[HEADER:],
    "segments swapped": lambda file: (
        file[:HEADER]
        + file[HEADER + SEGMENT_BYTES + 16 : HEADER + 2 * (SEGMENT_BYTES + 16)]
        + file[HEADER : HEADER + SEGMENT_BYTES + 16]
        + file[HEADER + 2 * (SEGMENT_BYTES + 16) :]
    ),
    "magic": lambda file: b"X" + file[1:],
    "version": lambda file: file[:4] + b"\x02" + file[5:],
    "salt": lambda file: file[:20] + bytes([file[20] ^ 1]) + file[21:],
    "prefix": lambda file: file[:50] + bytes([file[50] ^ 1]) + file[51:],
    "length": lambda file: file[:61] + bytes([file[61] ^ 1]) + file[62:],
    "length to unknown": lambda file: file[:54] + b"\xff" * 8 + file[62:],
    "commitment": lambda file: file[:70] + bytes([file[70] ^ 1]) + file[71:],
    "middle": lambda file: file[:90_000] + bytes([file[90_000] ^ 1]) + file[90_001:],
}


@pytest.mark.proof("encryption: a changed, cut or re-ordered file is refused before the first byte")
@pytest.mark.parametrize(
    ("attack", "is_known"),
    [
        (name, is_known)
        for name in ATTACKS
        for is_known in (True, False)
        if is_known or name != "length to unknown"
    ],
)
def test_changed_files_are_refused(
    attack: str,
    is_known: bool,  # noqa: FBT001
    place: Place,
    tried: Tried,
) -> None:
    plain = os.urandom(2 * SEGMENT_BYTES + 100)
    file = sealed(plain, place, length=len(plain) if is_known else None)

    with pytest.raises(Tampered):
        open_stream(io.BytesIO(ATTACKS[attack](file)), place)
    assert opened(file, place) == plain  # control
    tried.case()


def test_a_header_of_another_file_of_the_same_document_is_refused(place: Place) -> None:
    first, second = sealed(b"first", place), sealed(b"other", place)

    with pytest.raises(Tampered):
        opened(first[:HEADER] + second[HEADER:], place)


def test_files_belong_to_owner_label_and_document(place: Place) -> None:
    file = sealed(b"x", place)

    for other in (
        Place(subject(), place.label, DOCUMENT),
        Place(place.owner, "t.other", DOCUMENT),
        Place(place.owner, place.label, uuid4()),
    ):
        with pytest.raises(Tampered):
            opened(file, other)


def test_files_of_an_erased_or_lost_key_say_which(place: Place) -> None:
    other = Place(subject(), "t.file", DOCUMENT)
    erased, lost = sealed(b"x", place), sealed(b"x", other)
    erase(place.owner)
    DataKey.objects.all().delete()
    drop_keys()

    with pytest.raises(Erased):
        opened(erased, place)
    with pytest.raises(KeyLost):
        opened(lost, other)


def test_a_large_file_is_streamed_and_breaks_off_at_a_changed_segment(place: Place) -> None:
    plain = os.urandom(VERIFY_ALL_BYTES + SEGMENT_BYTES)
    file = bytearray(sealed(plain, place, length=len(plain)))
    assert opened(bytes(file), place) == plain
    file[HEADER + SEGMENT_BYTES + 100] ^= 1

    given = open_stream(io.BytesIO(bytes(file)), place)

    assert next(given) == plain[:SEGMENT_BYTES]
    with pytest.raises(Tampered):
        next(given)


def test_a_large_file_of_unknown_length_is_verified_first(place: Place) -> None:
    plain = os.urandom(VERIFY_ALL_BYTES + SEGMENT_BYTES)
    file = bytearray(sealed(plain, place))
    assert opened(bytes(file), place) == plain
    file[HEADER + 100] ^= 1

    with pytest.raises(Tampered):
        open_stream(io.BytesIO(bytes(file)), place)


class CountingFile(io.BytesIO):
    """A file that counts the bytes read."""

    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read and count."""
        found = super().read(size)
        self.read_bytes += len(found)
        return found


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, 0),
        (0, 1),
        (SEGMENT_BYTES - 1, SEGMENT_BYTES + 1),
        (SEGMENT_BYTES, SEGMENT_BYTES),
        (SEGMENT_BYTES, 2 * SEGMENT_BYTES),
        (0, 4 * SEGMENT_BYTES),
        (4 * SEGMENT_BYTES, 4 * SEGMENT_BYTES),
    ],
)
def test_ranges_open_only_their_segments(start: int, stop: int, place: Place) -> None:
    plain = os.urandom(4 * SEGMENT_BYTES)
    source = CountingFile(sealed(plain, place, length=len(plain)))

    assert read_range(source, place, start=start, stop=stop) == plain[start:stop]
    assert source.read_bytes <= HEADER + (stop - start) + 2 * (SEGMENT_BYTES + 16)


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (2, 1), (0, 11)])
def test_ranges_outside_the_file_are_refused(start: int, stop: int, place: Place) -> None:
    source = io.BytesIO(sealed(b"0123456789", place))

    with pytest.raises(ValueError, match="inside the file"):
        read_range(source, place, start=start, stop=stop)


def test_two_files_of_one_content_share_nothing(place: Place) -> None:
    first, second = sealed(b"x" * 1000, place), sealed(b"x" * 1000, place)

    assert hashlib.sha256(first[15:54]).digest() != hashlib.sha256(second[15:54]).digest()
    assert first[HEADER:] != second[HEADER:]
