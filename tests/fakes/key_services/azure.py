"""Azure Key Vault and the token endpoint of Entra ID, written after their REST reference.

It checks the token, the API version, base64url and the algorithm, and wraps by real RSA-OAEP or AES
key wrap: neither knows associated data.
"""

import base64
import os
import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.https import Received, Reply
from tests.fakes.key_services.switch import Switch, answer, sent

TENANT = "0b7d0000-0000-0000-0000-000000000001"
CLIENT_ID = "0b7d0000-0000-0000-0000-000000000002"
CLIENT_SECRET = "secret-of-the-application"
API = "7.4"
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class No(NamedTuple):
    """A refusal of the API."""

    status: int
    code: str
    text: str
    inner: str = ""


@dataclass
class AzureVersion:
    """A version of a key.

    Attributes:
        material: RSA private key, or 32 bytes of a Managed HSM.
        is_enabled: False while disabled.
    """

    material: rsa.RSAPrivateKey | bytes
    is_enabled: bool = True


@dataclass
class Azure:
    """Both servers in one.

    Attributes:
        algorithm: ``RSA-OAEP-256`` or ``A256KW``, for all keys.
        keys: versions by name and version id, the newest last.
        deleted: names of keys that are deleted and can be recovered.
        tokens: access tokens that are let in.
        permitted: whether the application may use keys.
        scope: what tokens must be asked for.
        switch: what goes wrong.
    """

    algorithm: str
    keys: dict[str, dict[str, AzureVersion]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    permitted: bool = True
    scope: str = "https://0.0.1/.default"
    switch: Switch = field(default_factory=Switch)

    def add_version(self, name: str) -> str:
        """Make a version of a key and return its id."""
        is_rsa = self.algorithm == "RSA-OAEP-256"
        material = rsa.generate_private_key(65537, 2048) if is_rsa else os.urandom(32)
        version = os.urandom(16).hex()
        self.keys.setdefault(name, {})[version] = AzureVersion(material)
        return version

    def __call__(self, received: Received) -> Reply:
        """Answer a request."""
        if received.path == f"/{TENANT}/oauth2/v2.0/token":
            return self._token(received)
        found = self._answer(received)
        if isinstance(found, No):
            error: dict[str, object] = {"code": found.code, "message": found.text}
            return answer(
                found.status,
                {"error": error | ({"innererror": {"code": found.inner}} if found.inner else {})},
            )
        return answer(200, found)

    def busy(self) -> Reply:
        """Refuse by the limit of the vault."""
        return answer(429, {"error": {"code": "Throttled", "message": "Too many requests"}})

    def _token(self, received: Received) -> Reply:
        form = {name: values[0] for name, values in parse_qs(received.body.decode()).items()}
        wanted = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": self.scope,
        }
        is_form = received.headers.get("content-type") == "application/x-www-form-urlencoded"
        if form != wanted or not is_form:
            return answer(401, {"error": "invalid_client"})
        token = os.urandom(16).hex()
        self.tokens.add(token)
        return answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _answer(self, received: Received) -> dict[str, object] | No:
        parts = urlsplit(received.path)
        kind, _, token = received.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.tokens:
            return No(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        if parse_qs(parts.query).get("api-version") != [API]:
            return No(400, "BadParameter", "api-version must be specified")
        match = re.fullmatch(r"/keys/([\w-]+)(?:/([0-9a-f]{32})/(wrapkey|unwrapkey))?", parts.path)
        if match is None:
            return No(404, "NotFound", "no such route")
        if not self.permitted:
            return No(403, "Forbidden", "Caller is not authorized to perform action on resource.")
        name, version, action = match.groups()
        versions = {} if name in self.deleted else self.keys.get(name, {})
        version = version or next(reversed(versions), "")
        if version not in versions:
            return No(404, "KeyNotFound", f"A key with (name/id) {name}/{version} was not found")
        if not versions[version].is_enabled:
            what = action or "get"
            text = f"Operation {what} is not allowed on a disabled key."
            return No(403, "Forbidden", text, "KeyDisabled")
        kid = f"https://{received.headers['host']}/keys/{name}/{version}"
        if action is None:
            return {"key": {"kid": kid}} if received.method == "GET" else No(405, "No", "method")
        return self._operate(action, kid, versions[version].material, sent(received))

    def _operate(
        self, action: str, kid: str, material: rsa.RSAPrivateKey | bytes, members: dict[str, object]
    ) -> dict[str, object] | No:
        text = members.get("value")
        if members.get("alg") != self.algorithm:
            return No(400, "BadParameter", "Key and algorithm do not fit")
        if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
            return No(400, "BadParameter", "Property value has invalid value")
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        try:
            done = _done(action, material, content)
        except (ValueError, keywrap.InvalidUnwrap):
            return No(400, "BadParameter", "The parameter is incorrect.")
        if action == "unwrapkey":
            done = self.switch.opened(done)
        return {"kid": kid, "value": base64.urlsafe_b64encode(done).rstrip(b"=").decode()}


def _done(action: str, material: rsa.RSAPrivateKey | bytes, content: bytes) -> bytes:
    if isinstance(material, bytes):
        work = keywrap.aes_key_wrap if action == "wrapkey" else keywrap.aes_key_unwrap
        return work(material, content)
    if action == "wrapkey":
        return material.public_key().encrypt(content, _OAEP)
    return material.decrypt(content, _OAEP)
