"""Blobs of outside key services, checksums and secret files."""

from pathlib import Path

import pytest

from encryption.providers.base import BadBlob, Context, Refused, Unavailable
from encryption.providers.blobs import framed, packed, taken_apart, unpacked
from encryption.providers.crc32c import crc32c
from encryption.providers.files import read_secret
from tests.fakes.key_services.gcp import checksum_of

CONTEXT: Context = {"app": "gatehouse", "epoch": 1}
RAW = bytes(range(32))


def test_a_blob_names_its_root_version() -> None:
    assert taken_apart(framed("x:key-1", b"abc"), "x") == ("x:key-1", b"abc")


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\x02",
        framed("x:key-1", b""),
        framed("y:key-1", b"abc"),
        b"\x02\x00\x03x:\xff" + b"abc",
        b"\x02\x00\x03x:\nabc",
        b"\x03\x00\x03x:kabc",
    ],
)
def test_what_is_no_blob_of_the_service_is_bad(blob: bytes) -> None:
    with pytest.raises(BadBlob):
        taken_apart(blob, "x")


def test_wrapped_bytes_bind_key_and_context() -> None:
    plain = packed(RAW, CONTEXT)

    assert unpacked(plain, CONTEXT) == RAW
    with pytest.raises(BadBlob, match="context"):
        unpacked(plain, {**CONTEXT, "epoch": 2})
    for position in range(len(plain)):
        changed = bytearray(plain)
        changed[position] ^= 1
        with pytest.raises(BadBlob):
            unpacked(bytes(changed), CONTEXT)
        with pytest.raises(BadBlob):
            unpacked(plain[:position], CONTEXT)
    with pytest.raises(ValueError, match="32"):
        packed(RAW[:16], CONTEXT)


def test_the_checksum_is_that_of_the_standard() -> None:
    # RFC 3720, B.4: 32 bytes of zeros, of ones, and counting up.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(RAW) == 0x46DD794E
    assert crc32c(b"123456789") == checksum_of(b"123456789") == 0xE3069283


def test_a_secret_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(" one \n")
    path.chmod(0o640)

    assert read_secret(path, "the token") == "one"
    path.write_text("two")
    assert read_secret(path, "the token") == "two"


def test_a_secret_that_is_missing_empty_or_open_to_all_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    with pytest.raises(Unavailable, match="the token cannot be read: No such file"):
        read_secret(path, "the token")
    path.write_text("\n")
    path.chmod(0o600)
    with pytest.raises(Unavailable, match="empty"):
        read_secret(path, "the token")
    path.write_text("hidden")
    path.chmod(0o604)
    with pytest.raises(Refused, match="everybody") as caught:
        read_secret(path, "the token")
    assert "hidden" not in str(caught.value)
