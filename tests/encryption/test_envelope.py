"""Attacks on the value format, each beside the value that opens."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption import envelope
from encryption.errors import Tampered
from tests.proofs import Tried

KEY = bytes(range(32))
HEADER = envelope.FORMAT + b"keyidkey"
LABEL = envelope.label_part("a.label")
ROW = bytes(range(16))


def sealed(plaintext: bytes = b"secret") -> bytes:
    return envelope.seal(AESGCM(KEY), header=HEADER, label=LABEL, row=ROW, plaintext=plaintext)


def opened(value: bytes, *, label: bytes = LABEL, row: bytes = ROW, key: bytes = KEY) -> bytes:
    envelope.key_id_of(value)
    return envelope.open_sealed(AESGCM(key), value, label + row)


@pytest.mark.proof("encryption: a value has the documented layout and 37 bytes of overhead")
def test_a_value_has_the_documented_layout(tried: Tried) -> None:
    value = sealed(b"secret")

    by_hand = AESGCM(KEY).decrypt(
        value[9:21], value[21:], b"\x01keyidkey" + b"\x00\x07a.label" + ROW
    )
    assert value[:9] == b"\x01keyidkey"
    assert len(value) == len(b"secret") + 37
    assert by_hand == b"secret"
    tried.case()


@pytest.mark.parametrize("size", [0, 1, 1_048_576])
def test_values_of_all_sizes_open(size: int) -> None:
    plaintext = os.urandom(size)

    assert opened(sealed(plaintext)) == plaintext


def test_two_seals_of_one_value_share_nothing_but_the_header() -> None:
    first, second = sealed(), sealed()

    assert first[:9] == second[:9]
    assert first[9:21] != second[9:21]
    assert first[21:] != second[21:]


@pytest.mark.proof("encryption: every flipped bit of a value is refused")
def test_every_flipped_bit_is_refused(tried: Tried) -> None:
    value = sealed()
    for position in range(len(value)):
        for bit in range(8):
            changed = bytearray(value)
            changed[position] ^= 1 << bit
            with pytest.raises(Tampered):
                opened(bytes(changed))
            tried.case()

    assert tried.cases == 8 * len(value) == 344
    assert opened(value) == b"secret"


@pytest.mark.proof("encryption: every cut value is refused")
def test_values_cut_to_0_to_37_bytes_are_refused(tried: Tried) -> None:
    value = sealed()
    for size in range(38):
        with pytest.raises(Tampered):
            opened(value[:size])
        tried.case()
    with pytest.raises(Tampered):
        opened(value + b"\x00")

    assert opened(value) == b"secret"


@pytest.mark.parametrize("number", [0x00, 0x02, 0x03, 0xFF])
def test_unknown_formats_are_refused_by_name(number: int) -> None:
    value = bytes([number]) + sealed()[1:]

    with pytest.raises(Tampered, match="unknown format"):
        opened(value)


def test_another_row_label_or_key_does_not_open_it() -> None:
    value = sealed()

    with pytest.raises(Tampered):
        opened(value, row=bytes(16))
    with pytest.raises(Tampered):
        opened(value, label=envelope.label_part("a.labe"))
    with pytest.raises(Tampered):
        opened(value, key=bytes(32))
    assert opened(value) == b"secret"


def test_label_and_row_cannot_be_shifted_into_each_other() -> None:
    value = envelope.seal(
        AESGCM(KEY), header=HEADER, label=envelope.label_part("ab"), row=b"c" * 16, plaintext=b"x"
    )

    with pytest.raises(Tampered):
        opened(value, label=envelope.label_part("a"), row=b"bccccccccccccccc")


def test_a_row_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        envelope.seal(AESGCM(KEY), header=HEADER, label=LABEL, row=b"1", plaintext=b"")
