"""The secrets engine ``transit`` of Vault and OpenBao, written after their API pages.

It refuses what they refuse, in their words: status 400 stands for a changed ciphertext and for a
version that is too old alike.
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.fakes.https import Received, Reply
from tests.fakes.key_services.switch import Switch, answer, sent

TOKEN = "hvs.token-of-the-tests"
NAMESPACE = "platform"


class No(NamedTuple):
    """A refusal."""

    status: int
    text: str = ""


@dataclass
class TransitKey:
    """A key of the engine."""

    versions: list[bytes] = field(default_factory=lambda: [os.urandom(32)])
    derived: bool = True
    type: str = "aes256-gcm96"
    min_decryption_version: int = 1

    def cipher(self, version: int, context: bytes) -> AESGCM:
        """Return the cipher of a version, derived from the context as HKDF does."""
        root = self.versions[version - 1]
        if not self.derived:
            return AESGCM(root)
        return AESGCM(HKDF(SHA256(), 32, None, context).derive(root))


@dataclass
class Transit:
    """The server.

    Attributes:
        keys: by name, all in the engine ``transit``.
        token: the only token that is let in; with its rights for these keys alone.
        switch: what goes wrong.
        refused: refusals that it gave.
    """

    keys: dict[str, TransitKey] = field(default_factory=dict)
    token: str = TOKEN
    switch: Switch = field(default_factory=Switch)
    refused: list[No] = field(default_factory=list)

    def __call__(self, received: Received) -> Reply:
        """Answer a request."""
        found = self._answer(received)
        if isinstance(found, No):
            self.refused.append(found)
            return answer(found.status, {"errors": [found.text] if found.text else []})
        return answer(200, {"request_id": "1", "lease_id": "", "renewable": False, "data": found})

    def busy(self) -> Reply:
        """Refuse by a quota."""
        return answer(429, {"errors": ["request path quota exceeded"]})

    def _answer(self, received: Received) -> dict[str, object] | No:
        headers = received.headers
        if headers.get("x-vault-token") != self.token or headers.get("x-vault-request") != "true":
            return No(403, "permission denied")
        if headers.get("x-vault-namespace") != NAMESPACE:
            return No(404)
        match = re.fullmatch(r"/v1/transit/(keys|encrypt|decrypt|rewrap)/([\w-]+)", received.path)
        if match is None:
            return No(404, "no handler for route")
        action, name = match.groups()
        key = self.keys.get(name)
        if action == "keys":
            return No(404) if key is None else self._read(received, key)
        if received.method != "POST":
            return No(405, "unsupported operation")
        if key is None:  # the policy has no right to create, so encrypt makes no key
            return (
                No(403, "permission denied")
                if action == "encrypt"
                else No(400, "encryption key not found")
            )
        return self._operate(action, key, sent(received))

    def _read(self, received: Received, key: TransitKey) -> dict[str, object] | No:
        if received.method != "GET":
            return No(405, "unsupported operation")
        return {
            "type": key.type,
            "derived": key.derived,
            "exportable": False,
            "latest_version": len(key.versions),
            "min_decryption_version": key.min_decryption_version,
        }

    def _operate(
        self, action: str, key: TransitKey, members: dict[str, object]
    ) -> dict[str, object] | No:
        context = _decoded(members.get("context", ""))
        if context is None:
            return No(400, "failed to base64-decode context")
        if key.derived and not context:
            return No(
                400,
                "missing 'context' for key derivation; the key was created using a "
                "derived key, which means additional, per-request information must be "
                "included in order to perform operations with the key",
            )
        if action == "encrypt":
            plain = _decoded(members.get("plaintext"))
            if plain is None:
                return No(400, "illegal base64 data at input byte 0")
            return self._sealed(key, plain, context, members.get("key_version", 0))
        opened = self._opened(key, str(members.get("ciphertext", "")), context)
        if isinstance(opened, No):
            return opened
        if action == "rewrap":
            return self._sealed(key, opened, context, 0)
        return {"plaintext": base64.b64encode(self.switch.opened(opened)).decode()}

    def _sealed(
        self, key: TransitKey, plain: bytes, context: bytes, version: object
    ) -> dict[str, object] | No:
        if not isinstance(version, int) or version > len(key.versions):
            return No(400, "requested version for encryption is higher than the latest key version")
        number = version or len(key.versions)
        nonce = os.urandom(12)
        content = nonce + key.cipher(number, context).encrypt(nonce, plain, None)
        text = f"vault:v{number}:{base64.b64encode(content).decode()}"
        return {"ciphertext": text, "key_version": number}

    def _opened(self, key: TransitKey, text: str, context: bytes) -> bytes | No:
        if not text.startswith("vault:v"):
            return No(400, "invalid ciphertext: no prefix")
        number, colon, rest = text.removeprefix("vault:v").partition(":")
        if not colon or not re.fullmatch(r"-?[0-9]+", number):
            return No(400, "invalid ciphertext: version number could not be decoded")
        version = int(number) or 1  # 0 is read as 1
        if version > len(key.versions):
            return No(400, "invalid ciphertext: version is too new")
        if version < key.min_decryption_version:
            return No(400, "ciphertext or signature version is disallowed by policy (too old)")
        content = _decoded(rest)
        if content is None:
            return No(400, "invalid ciphertext: could not decode base64")
        if len(content) < 12:
            return No(400, "invalid ciphertext length")
        try:
            return key.cipher(version, context).decrypt(content[:12], content[12:], None)
        except InvalidTag:
            return No(400, "cipher: message authentication failed")


def _decoded(text: object) -> bytes | None:
    try:
        return base64.b64decode(str(text), validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
