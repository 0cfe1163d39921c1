"""AWS KMS as far as key states matter, written after its API reference.

It checks the signature (Signature Version 4), which moto does not, and refuses disabled keys and
keys that wait for deletion, with which moto decrypts.
"""

import base64
import hashlib
import hmac
import json
import os
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.fakes.https import Received, Reply
from tests.fakes.key_services.switch import Switch, answer, sent

REGION = "eu-central-1"
ACCESS_KEY = "AKIAGATEHOUSETESTS00"
SECRET_KEY = "secret-key-of-the-tests"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/kms/aws4_request, "
    r"SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})"
)
_ID = 36
_STATES = {"Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"}


class No(NamedTuple):
    """A refusal."""

    code: str


@dataclass
class AwsKey:
    """A key of KMS."""

    material: bytes = field(default_factory=lambda: os.urandom(32))
    state: str = "Enabled"


@dataclass
class Aws:
    """The server.

    Attributes:
        keys: by ARN.
        permitted: whether the credentials may use the keys.
        secret_key: what requests must be signed with.
        switch: what goes wrong.
    """

    keys: dict[str, AwsKey] = field(default_factory=dict)
    permitted: bool = True
    secret_key: str = SECRET_KEY
    switch: Switch = field(default_factory=Switch)

    def add_key(self) -> str:
        """Make a key and return its ARN."""
        digits = os.urandom(16).hex()
        name = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        arn = f"arn:aws:kms:{REGION}:111122223333:key/{name}"
        self.keys[arn] = AwsKey()
        return arn

    def __call__(self, received: Received) -> Reply:
        """Answer a request."""
        found = self._answer(received)
        if isinstance(found, No):
            return answer(400, {"__type": found.code, "message": "refused"})
        return answer(200, found)

    def busy(self) -> Reply:
        """Refuse by the request quota."""
        return answer(400, {"__type": "ThrottlingException", "message": "Rate exceeded"})

    def _answer(self, received: Received) -> dict[str, object] | No:
        if not self._is_signed(received):
            return No("InvalidSignatureException")
        if not self.permitted:
            return No("AccessDeniedException")
        if received.headers.get("content-type") != "application/x-amz-json-1.1":
            return No("UnknownOperationException")
        members = sent(received)
        match received.headers.get("x-amz-target"):
            case "TrentService.Encrypt":
                plain = base64.b64decode(str(members["Plaintext"]), validate=True)
                return self._encrypt(str(members["KeyId"]), plain, members["EncryptionContext"])
            case "TrentService.Decrypt":
                return self._decrypt(members)
            case "TrentService.ReEncrypt":
                return self._re_encrypt(members)
        return No("UnknownOperationException")

    def _encrypt(self, arn: str, plain: bytes, context: object) -> dict[str, object] | No:
        key = self._usable(arn)
        if isinstance(key, No):
            return key
        nonce = os.urandom(12)
        sealed = AESGCM(key.material).encrypt(nonce, plain, _bound(context))
        content = arn[-_ID:].encode() + nonce + sealed
        return {"KeyId": arn, "CiphertextBlob": base64.b64encode(content).decode()}

    def _decrypt(self, members: dict[str, object]) -> dict[str, object] | No:
        arn = str(members["KeyId"])
        opened = self._opened(arn, members["CiphertextBlob"], members["EncryptionContext"])
        if isinstance(opened, No):
            return opened
        plain = self.switch.opened(opened)
        return {"KeyId": arn, "Plaintext": base64.b64encode(plain).decode()}

    def _re_encrypt(self, members: dict[str, object]) -> dict[str, object] | No:
        arn = str(members["SourceKeyId"])
        context = members["SourceEncryptionContext"]
        opened = self._opened(arn, members["CiphertextBlob"], context)
        if isinstance(opened, No):
            return opened
        target = str(members["DestinationKeyId"])
        return self._encrypt(target, opened, members["DestinationEncryptionContext"])

    def _opened(self, arn: str, text: object, context: object) -> bytes | No:
        key = self._usable(arn)
        if isinstance(key, No):
            return key
        content = base64.b64decode(str(text), validate=True)
        owner = next((held for held in self.keys if held[-_ID:].encode() == content[:_ID]), "")
        if not owner or len(content) < _ID + 12 + 16:
            return No("InvalidCiphertextException")
        if owner != arn:
            return No("IncorrectKeyException")
        nonce, sealed = content[_ID : _ID + 12], content[_ID + 12 :]
        try:
            return AESGCM(key.material).decrypt(nonce, sealed, _bound(context))
        except InvalidTag:
            return No("InvalidCiphertextException")

    def _usable(self, arn: str) -> AwsKey | No:
        key = self.keys.get(arn)
        if key is None:
            return No("NotFoundException")
        return key if key.state == "Enabled" else No(_STATES[key.state])

    def _is_signed(self, received: Received) -> bool:
        match = _AUTHORIZATION.fullmatch(received.headers.get("authorization", ""))
        if match is None or match[1] != ACCESS_KEY or match[3] != REGION:
            return False
        names = match[4].split(";")
        if not {"host", "x-amz-date", "x-amz-target"} <= set(names):
            return False
        lines = [f"{name}:{received.headers.get(name, '').strip()}\n" for name in names]
        request = "\n".join(
            ("POST", "/", "", "".join(lines), match[4], hashlib.sha256(received.body).hexdigest())
        )
        scope = f"{match[2]}/{REGION}/kms/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{received.headers['x-amz-date']}\n{scope}\n{digest}"
        key = f"AWS4{self.secret_key}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(key.hex(), match[5])


def _bound(context: object) -> bytes:
    if not isinstance(context, dict) or not all(isinstance(item, str) for item in context.values()):
        raise TypeError("an encryption context holds texts alone")
    return json.dumps(context, sort_keys=True).encode()
