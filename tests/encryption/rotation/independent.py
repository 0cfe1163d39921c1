"""Opens sealed values without the product's code, from the documented formats alone.

Root key file, blob of an epoch, blob of a data key, value format v1:
docs/security/cryptography.md.
"""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Facts = dict[str, str | int]


def canonical(facts: Facts) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def root_keys(path: Path) -> dict[int, AESGCM]:
    keys = {}
    for line in path.read_text(encoding="ascii").splitlines():
        _name, _format, number, raw = line.split()
        keys[int(number)] = AESGCM(base64.b64decode(raw))
    return keys


@dataclass
class KeyStore:
    """All keys of a keys database, opened with a root key file."""

    installation: str
    epochs: dict[int, AESGCM] = field(default_factory=dict)
    data_keys: dict[bytes, AESGCM] = field(default_factory=dict)
    states: dict[bytes, str] = field(default_factory=dict)

    def open(self, sealed: bytes, label: str, row: UUID) -> bytes:
        """Open a value."""
        place = len(label).to_bytes(2, "big") + label.encode() + row.bytes
        return self.data_keys[sealed[1:9]].decrypt(sealed[9:21], sealed[21:], sealed[:9] + place)


def key_store(connection: psycopg.Connection, root_key: Path) -> KeyStore:
    """Read and open all keys."""
    (installation,) = fetched(connection, "SELECT id FROM encryption_installation")[0]
    store, roots = KeyStore(str(installation)), root_keys(root_key)
    epochs = "SELECT id, purpose, number, blob FROM encryption_kekepoch WHERE blob <> ''"
    for number_of_row, purpose, number, blob in fetched(connection, epochs):
        header = blob[:5]
        context: Facts = {"app": "gatehouse", "installation": store.installation}
        context |= {"purpose": purpose, "epoch": number}
        key = roots[int.from_bytes(header[1:], "big")]
        raw = key.decrypt(blob[5:17], blob[17:], header + canonical(context))
        store.epochs[number_of_row] = AESGCM(raw)
    rows = "SELECT id, owner_kind, owner_id, purpose, epoch_id, blob, state FROM encryption_datakey"
    for number, kind, owner, purpose, epoch, blob, state in fetched(connection, rows):
        key_id = number.to_bytes(8, "big", signed=True)
        facts: Facts = {"key": key_id.hex(), "owner_kind": kind, "owner": str(owner)}
        facts |= {"purpose": purpose, "epoch": epoch}
        raw = store.epochs[epoch].decrypt(blob[1:13], blob[13:], blob[:1] + canonical(facts))
        store.data_keys[key_id] = AESGCM(raw)
        store.states[key_id] = state
    return store


def fetched(connection: psycopg.Connection, statement: str) -> list[tuple]:  # type: ignore[type-arg]
    return connection.execute(statement.encode()).fetchall()
