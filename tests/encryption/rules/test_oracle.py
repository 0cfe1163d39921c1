"""Values of format 1 against Tink: each opens what the other sealed."""

import os

import pytest
import tink
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import aead, secret_key_access
from tink.proto import aes_gcm_pb2, tink_pb2

from encryption import envelope
from encryption.errors import Tampered
from encryption.keyring import keyring
from tests.encryption.models import Person
from tests.encryption.rules.bad_bytes import flipped
from tests.encryption.rules.cells import cell
from tests.factories.encryption import person, subject
from tests.proofs import Tried

CLAIM = "encryption: Tink opens our values and we open those of Tink"
LABEL = envelope.label_part("t.person.name")
HEADER = envelope.FORMAT + b"keyidkey"
ROW = bytes(range(16))


def tink_of(key: bytes) -> aead.Aead:
    """Return Tink's AES-GCM under a key, without a prefix: ``nonce | ciphertext | tag``."""
    aead.register()
    material = aes_gcm_pb2.AesGcmKey(version=0, key_value=key)
    keyset = tink_pb2.Keyset(primary_key_id=1)
    one = keyset.key.add(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW)
    one.key_data.type_url = "type.googleapis.com/google.crypto.tink.AesGcmKey"
    one.key_data.value = material.SerializeToString()
    one.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(aead.Aead)


@pytest.mark.proof(CLAIM)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4096, 1_048_576])
def test_values_open_on_both_sides(size: int, tried: Tried) -> None:
    key = os.urandom(32)
    aead_of_tink = tink_of(key)
    plaintext, bound = os.urandom(size), HEADER + LABEL + ROW
    ours = envelope.seal(AESGCM(key), header=HEADER, label=LABEL, row=ROW, plaintext=plaintext)
    theirs = HEADER + aead_of_tink.encrypt(plaintext, bound)

    assert aead_of_tink.decrypt(ours[9:], bound) == plaintext
    assert envelope.open_sealed(AESGCM(key), theirs, LABEL + ROW) == plaintext
    assert len(ours) == len(theirs)
    for place in (9, len(ours) // 2, len(ours) - 1):
        with pytest.raises(tink.TinkError):
            aead_of_tink.decrypt(flipped(ours, place)[9:], bound)
        with pytest.raises(Tampered):
            envelope.open_sealed(AESGCM(key), flipped(theirs, place), LABEL + ROW)
    with pytest.raises(tink.TinkError):
        aead_of_tink.decrypt(ours[9:], HEADER + LABEL + bytes(16))
    tried.case(2)


@pytest.mark.proof(CLAIM)
def test_a_stored_cell_opens_in_tink(tried: Tried) -> None:
    row = person(name="Zoë")
    stored = cell(Person, "name", row.pk)
    key = keyring.current(subject(row.subject_id)).raw

    bound = stored[:9] + LABEL + row.pk.bytes
    assert tink_of(key).decrypt(stored[9:], bound).decode() == "Zoë"
    tried.case()


def test_every_seal_draws_a_new_nonce() -> None:
    cipher = AESGCM(os.urandom(32))
    nonces = {
        envelope.seal(cipher, header=HEADER, label=LABEL, row=ROW, plaintext=b"")[9:21]
        for _ in range(20_000)
    }

    assert len(nonces) == 20_000
