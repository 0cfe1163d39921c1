"""Cloud KMS and the token endpoint of Google, written after their REST reference.

It checks the assertion of the service account, the token, names, base64 and checksums. A version is
chosen by the ciphertext when decrypting, whatever the caller believes.
"""

import base64
import binascii
import json
import os
import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qs

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.fakes.https import Received, Reply
from tests.fakes.key_services.switch import Switch, answer, sent

KEY = "projects/portal/locations/europe-west3/keyRings/ring/cryptoKeys/root"
EMAIL = "portal@portal.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/cloudkms"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class No(NamedTuple):
    """A refusal of the API."""

    status: int
    state: str
    text: str


@dataclass
class GcpVersion:
    """A version of the key."""

    material: bytes = field(default_factory=lambda: os.urandom(32))
    state: str = "ENABLED"


@dataclass
class Gcp:
    """Both servers in one.

    Attributes:
        name: name of the key.
        versions: by number.
        primary: number of the version that encrypts.
        tokens: access tokens that are let in.
        account: private key of the service account.
        permitted: whether the account may use the key.
        lies: what is changed on its way back: ``plaintext``, ``ciphertext`` or ``verified``.
        disturbed: how many of the next questions are changed on their way here.
        switch: what goes wrong.
    """

    name: str = KEY
    versions: dict[int, GcpVersion] = field(default_factory=lambda: {1: GcpVersion()})
    primary: int = 1
    tokens: set[str] = field(default_factory=set)
    account: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(65537, 2048)
    )
    permitted: bool = True
    lies: str = ""
    disturbed: int = 0
    switch: Switch = field(default_factory=Switch)

    def key_file(self, token_uri: str) -> str:
        """Return the key file of the service account."""
        pem = self.account.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return json.dumps(
            {
                "type": "service_account",
                "private_key_id": "k1",
                "private_key": pem.decode(),
                "client_email": EMAIL,
                "token_uri": token_uri,
            }
        )

    def __call__(self, received: Received) -> Reply:
        """Answer a request."""
        if received.path == "/token":
            return self._token(received)
        found = self._answer(received)
        if isinstance(found, No):
            error = {"code": found.status, "status": found.state, "message": found.text}
            return answer(found.status, {"error": error})
        return answer(200, found)

    def busy(self) -> Reply:
        """Refuse by a quota."""
        error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded"}
        return answer(429, {"error": error})

    def _token(self, received: Received) -> Reply:
        form = parse_qs(received.body.decode())
        host = received.headers["host"]
        try:
            claims = jwt.decode(
                form["assertion"][0],
                self.account.public_key(),
                algorithms=["RS256"],
                audience=f"https://{host}/token",
                issuer=EMAIL,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
            is_right = form["grant_type"] == [GRANT] and claims["scope"] == SCOPE
        except (jwt.PyJWTError, KeyError):
            is_right = False
        if not is_right:
            return answer(400, {"error": "invalid_grant"})
        token = base64.urlsafe_b64encode(os.urandom(16)).decode()
        self.tokens.add(token)
        return answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _answer(self, received: Received) -> dict[str, object] | No:
        kind, _, token = received.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.tokens:
            return No(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if not self.permitted:
            return No(403, "PERMISSION_DENIED", "Permission 'cloudkms' denied on resource")
        path, _, action = received.path.removeprefix("/v1/").partition(":")
        key, _, number = path.partition("/cryptoKeyVersions/")
        if key != self.name or (number and int(number) not in self.versions):
            return No(404, "NOT_FOUND", f"{path} not found.")
        if received.method == "GET" and not action and not number:
            return {"name": key, "purpose": "ENCRYPT_DECRYPT", "primary": self._primary()}
        if received.method != "POST" or action not in {"encrypt", "decrypt"}:
            return No(404, "NOT_FOUND", "no such method")
        if action == "encrypt":
            return self._encrypt(int(number or self.primary), sent(received))
        if number:  # a version cannot be named to decrypt
            return No(400, "INVALID_ARGUMENT", "name is not a CryptoKey")
        return self._decrypt(sent(received))

    def _primary(self) -> dict[str, object]:
        version = self.versions[self.primary]
        return {"name": f"{self.name}/cryptoKeyVersions/{self.primary}", "state": version.state}

    def _encrypt(self, number: int, members: dict[str, object]) -> dict[str, object] | No:
        plain = _checked(members, "plaintext")
        bound = _checked(members, "additionalAuthenticatedData")
        if isinstance(plain, No) or isinstance(bound, No):
            return plain if isinstance(plain, No) else bound  # type: ignore[return-value]  # one is
        if self.versions[number].state != "ENABLED":
            return self._not_enabled(number)
        nonce = os.urandom(12)
        sealed = AESGCM(self.versions[number].material).encrypt(nonce, plain, bound)
        content = number.to_bytes(4, "big") + nonce + sealed
        checksum = str(checksum_of(content))
        if self.lies == "ciphertext":
            content = content[:-1] + bytes([content[-1] ^ 1])
        return {
            "name": f"{self.name}/cryptoKeyVersions/{number}",
            "ciphertext": base64.b64encode(content).decode(),
            "ciphertextCrc32c": checksum,
            "verifiedPlaintextCrc32c": self.lies != "verified",
            "verifiedAdditionalAuthenticatedDataCrc32c": True,
            "protectionLevel": "HSM",
        }

    def _decrypt(self, members: dict[str, object]) -> dict[str, object] | No:
        if self.disturbed:
            self.disturbed -= 1
            members = {**members, "ciphertext": base64.b64encode(b"noise").decode()}
        content = _checked(members, "ciphertext")
        bound = _checked(members, "additionalAuthenticatedData")
        if isinstance(content, No) or isinstance(bound, No):
            return content if isinstance(content, No) else bound  # type: ignore[return-value]  # one is
        failed = No(
            400,
            "INVALID_ARGUMENT",
            "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
        )
        number = int.from_bytes(content[:4], "big")
        if number not in self.versions or len(content) < 32:
            return failed
        if self.versions[number].state != "ENABLED":
            return self._not_enabled(number)
        try:
            cipher = AESGCM(self.versions[number].material)
            plain = self.switch.opened(cipher.decrypt(content[4:16], content[16:], bound))
        except InvalidTag:
            return failed
        checksum = str(checksum_of(plain))
        if self.lies == "plaintext":
            plain = plain[:-1] + bytes([plain[-1] ^ 1])
        return {
            "plaintext": base64.b64encode(plain).decode(),
            "plaintextCrc32c": checksum,
            "usedPrimary": number == self.primary,
        }

    def _not_enabled(self, number: int) -> No:
        name, state = f"{self.name}/cryptoKeyVersions/{number}", self.versions[number].state
        return No(400, "FAILED_PRECONDITION", f"{name} is not enabled, current state is: {state}.")


def checksum_of(content: bytes) -> int:
    """Return the CRC-32C of some bytes, by another way than the code under test.

    That shifts reflected bits to the right; this divides polynomials, as the definition says.
    """
    bits = "".join(f"{byte:08b}"[::-1] for byte in content) + "0" * 32
    number = int(bits, 2) ^ (0xFFFFFFFF << (len(bits) - 32))
    for position in range(len(bits) - 1, 31, -1):
        if number >> position & 1:
            number ^= 0x11EDC6F41 << (position - 32)
    return int(f"{number:032b}"[::-1], 2) ^ 0xFFFFFFFF


def _checked(members: dict[str, object], name: str) -> bytes | No:
    text, checksum = members.get(name), members.get(f"{name}Crc32c")
    try:
        content = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return No(400, "INVALID_ARGUMENT", f"Invalid value at '{name}' (TYPE_BYTES)")
    if not isinstance(checksum, str) or not re.fullmatch(r"[0-9]+", checksum):
        return No(400, "INVALID_ARGUMENT", f"the test wants a checksum of {name}")
    if int(checksum) != checksum_of(content):
        return No(400, "INVALID_ARGUMENT", f"The checksum in field {name}_crc32c did not match")
    return content
