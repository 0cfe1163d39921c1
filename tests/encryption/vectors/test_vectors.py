"""Test vectors: what the product writes opens by code that shares nothing with it."""

import ast
import base64
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption import blind_index, envelope, wrapping
from encryption.errors import Tampered
from encryption.key_tables import DataKey
from encryption.keyring import keyring
from encryption.providers.key_file import KeyFile
from encryption.streams import Place, open_stream
from encryption.types import DATA, OwnerKind
from tests.encryption.rules.bad_bytes import flipped
from tests.encryption.vectors import independent, making
from tests.encryption.vectors.making import FILES, Vector
from tests.proofs import Tried

CLAIM = "encryption: an independent implementation opens what the product writes"
FOLDER = Path(__file__).resolve().parents[3] / "docs" / "security" / "vectors"
PUBLISHED: list[Vector] = [
    vector
    for path in sorted(FOLDER.glob("*.json"))
    for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]
]


def text(vector: Vector, name: str) -> str:
    return str(vector[name])


def data(vector: Vector, name: str) -> bytes:
    return bytes.fromhex(text(vector, name))


def facts(vector: Vector, name: str) -> dict[str, str | int]:
    return cast("dict[str, str | int]", vector[name])


def check_file(vector: Vector, sealed: bytes) -> bool:
    file = independent.File(
        sealed, data(vector, "key"), text(vector, "label"), data(vector, "document")
    )
    plain = file.opened()
    assert plain == bytes(number % 251 for number in range(len(plain)))
    return hashlib.sha256(plain).hexdigest() == vector["plain_sha256"]


def is_signed(vector: Vector, sealed: bytes) -> bool:
    public = data(vector, "public")
    return independent.signature_is_right(sealed, public=public, data=data(vector, "plain"))


# How the independent implementation judges each format: the bytes in question against the rest.
JUDGES: dict[str, Callable[[Vector, bytes], bool]] = {
    "value": lambda v, s: data(v, "plain") == independent.open_value(
        s, key=data(v, "key"), label=text(v, "label"), row=data(v, "row")
    ),
    "text": lambda v, s: v["plain"] == independent.open_text(
        s.decode(), key=data(v, "key"), purpose=text(v, "purpose")
    ),
    "epoch": lambda v, s: data(v, "plain") == independent.unwrap_by_key_file(
        s, line=text(v, "line"), context=facts(v, "context")
    ),
    "wrapped key": lambda v, s: data(v, "plain") == independent.unwrap(
        s, key=data(v, "key"), facts=facts(v, "facts")
    ),
    "digest": lambda v, s: s == independent.blind_digest(
        text(v, "value"),
        root=data(v, "root"),
        label=text(v, "label"),
        is_email=bool(v["is_email"]),
    ),
    "file": check_file,
    "signature": is_signed,
    "box": lambda v, s: data(v, "plain") == independent.open_box(
        s, private=data(v, "private"), pair=data(v, "pair"), associated=data(v, "associated")
    ),
    "owner": lambda v, s: s == independent.owner_digest(text(v, "kind"), text(v, "owner")),
    "mac": lambda v, s: s == independent.mac(data(v, "key"), data(v, "plain")),
}  # fmt: skip


def stored(vector: Vector) -> bytes:
    """Return the bytes in question."""
    if vector["format"] == "text":
        return text(vector, "sealed").encode()
    if vector["format"] == "file":
        return base64.b64decode(text(vector, "sealed"))
    return data(vector, "sealed")


def is_right(vector: Vector, sealed: bytes) -> bool:
    """Let the independent implementation judge."""
    try:
        return JUDGES[text(vector, "format")](vector, sealed)
    except ValueError:
        return False


def judge(vectors: list[Vector], tried: Tried) -> None:
    """Let it judge each vector, and each with a changed bit."""
    for vector in vectors:
        sealed = stored(vector)
        assert is_right(vector, sealed), vector
        # The last letter of a text has bits that base64 leaves out.
        last = len(sealed) - (2 if vector["format"] == "text" else 1)
        for place in {0, len(sealed) // 2, last}:
            assert not is_right(vector, flipped(sealed, place)), (vector, place)
        assert not is_right(vector, sealed[:-1])
        tried.case()


@pytest.mark.proof(CLAIM)
@pytest.mark.usefixtures("own_root_key")
def test_what_is_written_today_opens_elsewhere(tried: Tried) -> None:
    made = making.all_vectors()

    for vectors in made.values():
        judge(vectors, tried)
    if os.environ.get("WRITE_VECTORS"):
        FOLDER.mkdir(exist_ok=True)
        for name, vectors in made.items():
            content = {"see": "docs/security/cryptography.md", "vectors": vectors}
            written = json.dumps(content, indent=1, ensure_ascii=False, default=str)
            (FOLDER / f"{name}.json").write_text(written + "\n", encoding="utf-8")


@pytest.mark.proof(CLAIM)
def test_the_published_vectors_open_elsewhere(tried: Tried) -> None:
    judge(PUBLISHED, tried)

    assert {vector["format"] for vector in PUBLISHED} == set(JUDGES)


def ours(vector: Vector) -> bool:
    """Open a published vector with the product's own code."""
    form, sealed = vector["format"], stored(vector)
    if form == "value":
        envelope.key_id_of(sealed)
        place = envelope.label_part(text(vector, "label")) + data(vector, "row")
        cipher = AESGCM(data(vector, "key"))
        return envelope.open_sealed(cipher, sealed, place) == data(vector, "plain")
    if form == "wrapped key":
        cipher = AESGCM(data(vector, "key"))
        return wrapping.unwrap(cipher, sealed, facts(vector, "facts")) == data(vector, "plain")
    if form == "digest":
        label = envelope.label_part(text(vector, "label"))
        key = blind_index._derive(data(vector, "root"), label)
        return blind_index.digest_under(key, data(vector, "plain")) == sealed
    return form != "file" or opens_as_file(vector)


def opens_as_file(vector: Vector) -> bool:
    sealed = stored(vector)
    row = DataKey(
        id=wrapping.id_number(sealed[7:15]),
        owner_kind=OwnerKind.FILE_SET,
        owner_id=FILES.id,
        purpose=DATA,
    )
    keyring._hold(row, data(vector, "key"))
    place = Place(FILES, text(vector, "label"), UUID(bytes=data(vector, "document")))
    plain = b"".join(open_stream(io.BytesIO(sealed), place))
    return hashlib.sha256(plain).hexdigest() == vector["plain_sha256"]


@pytest.mark.proof("encryption: formats are frozen, and the published vectors open")
def test_the_published_vectors_open_here(tmp_path: Path, tried: Tried) -> None:
    for vector in PUBLISHED:
        assert ours(vector), vector
        tried.case()
    (epoch,) = [vector for vector in PUBLISHED if vector["format"] == "epoch"]
    (tmp_path / "root.key").write_text(text(epoch, "line") + "\n", encoding="ascii")
    (tmp_path / "root.key").chmod(0o600)
    opened = KeyFile(tmp_path / "root.key").unwrap(stored(epoch), facts(epoch, "context"))
    assert opened == data(epoch, "plain")
    value = next(vector for vector in PUBLISHED if vector["format"] == "value")
    with pytest.raises(Tampered):  # control
        ours({**value, "row": bytes(16).hex()})


def test_the_independent_implementation_shares_no_code() -> None:
    source = Path(independent.__file__).read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    imported = {name.partition(".")[0] for name in names}

    standard = {"base64", "collections", "dataclasses", "hashlib", "hmac", "json", "unicodedata"}
    assert imported == {*standard, "Crypto"}
