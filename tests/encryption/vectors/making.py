"""Makes test vectors with the product's own code, from keys that serve nothing else."""

import base64
import hashlib
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.conf import settings

from encryption import blind_index, services, signing, wrapping
from encryption.database import KEYS_VAULT
from encryption.epochs import active_row, ring
from encryption.fields import AnySealedField, as_uuid
from encryption.key_tables import DataKey, IndexKey, SealingKey, SigningKey
from encryption.keyring import data_key_facts, keyring, owner_digest
from encryption.providers.key_file import KeyFile
from encryption.sealed import sealed_fields
from encryption.streams import Place, seal_stream
from encryption.types import GENERAL, NO_OWNER, VAULT, Owner, OwnerKind
from tests.encryption.models import Person
from tests.encryption.rules.cells import cell

Vector = dict[str, object]

ROW = UUID("01890000-0000-7000-8000-000000000001")
SUBJECT = Owner(OwnerKind.SUBJECT, UUID("01890000-0000-7000-8000-00000000000a"))
ORGANISATION = Owner(OwnerKind.ORGANISATION, UUID("01890000-0000-7000-8000-00000000000b"))
FILES = Owner(OwnerKind.FILE_SET, UUID("01890000-0000-7000-8000-00000000000c"))
NOBODY = Owner(OwnerKind.PURPOSE, NO_OWNER)
FILE_SIZES = ((0, True), (1, True), (1, False), (65_537, True))


def all_vectors() -> dict[str, list[Vector]]:
    """Return the vectors by the name of their file."""
    return {
        "values": list(values()),
        "keys": list(keys()),
        "blind-index": list(blind_indexes()),
        "files": list(files()),
        "signatures": list(signatures()),
        "vault-box": list(vault_boxes()),
        "digests": list(digests()),
    }


def values() -> Iterator[Vector]:
    """Give sealed values of each kind of field, and the texts of a purpose."""
    row = Person(
        id=ROW,
        subject_id=SUBJECT.id,
        organisation_id=ORGANISATION.id,
        name="Zoë \U0001f600\x00",
        email="zoe@example.org",
        note="",
        data={"b": [1, None, True], "a": "é"},
        born=date(1970, 2, 3),
        balance=Decimal("-1.50E+3"),
        photo=b"\x00\xff",
    )
    row.save()
    for field in sealed_fields(Person):
        owner = Owner(field.owner_kind, as_uuid(getattr(row, field.owner)) or NO_OWNER)
        yield {
            "format": "value",
            "what": type(field).__name__,
            "label": field.label,
            "row": ROW.bytes.hex(),
            "key": keyring.current(owner).raw.hex(),
            "plain": _encoded(field, row).hex(),
            "sealed": cell(Person, str(field.column), ROW).hex(),
        }
    for text in ("", "JBSWY3DPEHPK3PXP"):
        yield {
            "format": "text",
            "purpose": "test vectors",
            "key": keyring.current(NOBODY, "test vectors").raw.hex(),
            "plain": text,
            "sealed": services.seal_text("test vectors", text),
        }


def keys() -> Iterator[Vector]:
    """Give the way from a line of the root key file to each kind of key."""
    epoch = active_row(GENERAL)
    assert epoch is not None
    context = ring.context(GENERAL, epoch.number)
    blob = bytes(epoch.blob)
    kek = KeyFile(Path(settings.ROOT_KEY_FILE)).unwrap(blob, context)
    yield {
        "format": "epoch",
        "line": Path(settings.ROOT_KEY_FILE).read_text(encoding="ascii").splitlines()[-1],
        "context": context,
        "sealed": blob.hex(),
        "plain": kek.hex(),
    }
    data = DataKey.objects.get(owner_id=SUBJECT.id, owner_kind=SUBJECT.kind)
    yield _wrapped("data key", kek, data_key_facts(data), bytes(data.blob))
    services.sign("test vectors", b"x")
    signer = SigningKey.objects.get(purpose="test vectors")
    yield _wrapped("signing key", kek, signing.signing_key_facts(signer), bytes(signer.blob))
    root = IndexKey.objects.get()
    yield _wrapped("index root", kek, blind_index.index_key_facts(root), bytes(root.blob))


def blind_indexes() -> Iterator[Vector]:
    """Give digests of addresses and of texts."""
    for value in (
        "zoe@example.org",
        "  ZOE@Example.ORG ",
        "zoë@bücher.example",
        "\uff3a\uff2f\uff25@example.org",
    ):
        yield _digest("email", value, is_email=True)
    for value in ("DE89370400440532013000", "Straße", "ﬁn"):
        yield _digest("email", value, is_email=False)


def files() -> Iterator[Vector]:
    """Give sealed files at the borders of segments, of known and of unknown length."""
    place = Place(FILES, "test.file", ROW)
    for size, is_known in FILE_SIZES:
        plain = bytes(number % 251 for number in range(size))
        target = io.BytesIO()
        seal_stream(io.BytesIO(plain), target, place, length=size if is_known else None)
        yield {
            "format": "file",
            "what": "known length" if is_known else "unknown length",
            "label": place.label,
            "document": ROW.bytes.hex(),
            "key": keyring.current(FILES).raw.hex(),
            "plain_bytes": size,
            "plain_sha256": hashlib.sha256(plain).hexdigest(),
            "sealed": base64.b64encode(target.getvalue()).decode(),
        }


def signatures() -> Iterator[Vector]:
    """Give a signature and the key that made it."""
    signature = services.sign("test vectors", b"signed")
    yield {
        "format": "signature",
        "public": services.public_key("test vectors").hex(),
        "plain": b"signed".hex(),
        "sealed": signature.value.hex(),
    }


def vault_boxes() -> Iterator[Vector]:
    """Give a secret that was sealed to the vault, and the private half that opens it."""
    services.ensure_key_pair()
    sealed = services.seal_to_vault(b"secret", b"associated")
    pair = SealingKey.objects.using(KEYS_VAULT).get(pk=UUID(bytes=sealed[1:17]))
    stored = bytes(pair.sealed_private_key)
    handle = keyring.get(stored[1:9], purpose=VAULT)
    assert handle is not None
    label = "encryption.sealing_key.private"
    place = len(label).to_bytes(2, "big") + label.encode() + pair.pk.bytes
    private = handle.cipher.decrypt(stored[9:21], stored[21:], stored[:9] + place)
    yield {
        "format": "value",
        "what": "private half of the vault's key pair",
        "label": label,
        "row": pair.pk.bytes.hex(),
        "key": handle.raw.hex(),
        "plain": private.hex(),
        "sealed": stored.hex(),
    }
    yield {
        "format": "box",
        "pair": pair.pk.bytes.hex(),
        "private": private.hex(),
        "associated": b"associated".hex(),
        "plain": b"secret".hex(),
        "sealed": sealed.hex(),
    }


def digests() -> Iterator[Vector]:
    """Give the digest of the erasure ledger and a MAC."""
    yield {
        "format": "owner",
        "kind": str(SUBJECT.kind),
        "owner": str(SUBJECT.id),
        "sealed": owner_digest(SUBJECT).hex(),
    }
    yield {
        "format": "mac",
        "plain": b"data".hex(),
        "sealed": services.mac("test vectors", b"data").hex(),
        "key": keyring.current(NOBODY, "mac:test vectors").raw.hex(),
    }


def _encoded(field: AnySealedField, row: Person) -> bytes:
    return field.encode(getattr(row, field.attname))


def _wrapped(what: str, kek: bytes, facts: object, blob: bytes) -> Vector:
    assert isinstance(facts, dict)
    raw = wrapping.unwrap(ring.active(GENERAL).cipher, blob, facts)
    vector: Vector = {"format": "wrapped key", "what": what, "key": kek.hex(), "facts": facts}
    return {**vector, "plain": raw.hex(), "sealed": blob.hex()}


def _digest(name: str, value: str, *, is_email: bool) -> Vector:
    field = next(field for field in sealed_fields(Person) if field.name == name)
    if not is_email:
        text = type(field).__mro__[1]
        field = text(label="t.text", owner_kind=OwnerKind.SUBJECT, owner="id", blind_index=True)
    services.prepare()
    row = IndexKey.objects.get()
    kek = ring.get(row.epoch_id, GENERAL)
    root = wrapping.unwrap(kek.cipher, bytes(row.blob), blind_index.index_key_facts(row))
    return {
        "format": "digest",
        "root": root.hex(),
        "label": field.label,
        "is_email": is_email,
        "value": value,
        "plain": field.normalise(value).hex(),
        "sealed": blind_index.digest(field, value).hex(),
    }
