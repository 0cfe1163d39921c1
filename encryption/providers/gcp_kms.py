"""Key service of Google Cloud: Cloud KMS.

Root versions are the versions of one key of purpose ENCRYPT_DECRYPT. The version is named when
wrapping, and is part of the associated data: the service itself would take any. All bytes travel
with their CRC32C and are dropped when one does not fit (the service's own advice for integrity).
"""

import base64
import json
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings

from encryption.providers import base
from encryption.providers.base import BadBlob, Context, Health, Refused, Unavailable, canonical
from encryption.providers.blobs import (
    framed,
    header_of,
    packed,
    require_short,
    taken_apart,
    unpacked,
)
from encryption.providers.calls import SingleFlight, with_tries
from encryption.providers.crc32c import crc32c
from encryption.providers.files import read_secret
from encryption.providers.rest import AccessTokens, Answer, Rest, authorities, decoded, token_in

CODE: Final = "gcp_kms"
METADATA: Final = (
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
)
_SCOPE: Final = "https://www.googleapis.com/auth/cloudkms"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_KEY: Final = re.compile(
    r"projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+", re.ASCII
)


def from_settings() -> "GcpKms":
    """Return the key service that the settings describe."""
    rest = Rest(authorities())
    file = settings.GCP_KMS_CREDENTIALS_FILE
    identity = ServiceAccount(Path(file), rest) if file else MachineIdentity(METADATA)
    return GcpKms(
        settings.GCP_KMS_KEY, endpoint=settings.GCP_KMS_ENDPOINT, identity=identity, rest=rest
    )


class ServiceAccount:
    """Identity by the key file of a service account (RFC 7523).

    Args:
        file: the JSON file as Google gives it.
        rest: connection to its ``token_uri``.
    """

    def __init__(self, file: Path, rest: Rest) -> None:
        self._file = file
        self._rest = rest

    def __call__(self) -> tuple[str, int]:
        """Return an access token and its seconds."""
        account = _Account(read_secret(self._file, "the key file of the service account"))
        assertion = account.assertion(int(time.time()))
        fields = {"grant_type": _GRANT, "assertion": assertion}
        return token_in(self._rest.post_form(account.text("token_uri"), fields))


class MachineIdentity:
    """Identity of the machine or workload, from the metadata service.

    Args:
        address: where that service gives tokens.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def __call__(self) -> tuple[str, int]:
        """Return an access token and its seconds."""
        return token_in(Rest().get(self._address, {"Metadata-Flavor": "Google"}))


class GcpKms:
    """The key service.

    Args:
        key: ``projects/P/locations/L/keyRings/R/cryptoKeys/K``.
        endpoint: address of the service.
        identity: gives access tokens.
        rest: connection.
    """

    def __init__(
        self, key: str, *, endpoint: str, identity: ServiceAccount | MachineIdentity, rest: Rest
    ) -> None:
        if not _KEY.fullmatch(key):
            raise ValueError(f"GCP_KMS_KEY is no name of a key: {key!r}")
        require_short("GCP_KMS_KEY", f"{CODE}:{key}/cryptoKeyVersions/999999")
        self._key = key
        self._endpoint = endpoint.rstrip("/")
        self._rest = rest
        self._tokens = AccessTokens(identity)
        self._flights = SingleFlight()

    @property
    def version(self) -> str:
        """Name of the root version that wraps new blobs: the primary one."""
        return f"{CODE}:{with_tries(self._primary)}"

    def version_of(self, blob: bytes) -> str:
        """Return the name of the root version that wrapped a blob."""
        return taken_apart(blob, CODE)[0]

    def generate(self, context: Context) -> tuple[bytes, bytes]:
        """Return a new key of 32 bytes and its blob."""
        return base.generated(self, context)

    def wrap(self, raw: bytes, context: Context) -> bytes:
        """Return the blob of a key."""
        plain = packed(raw, context)
        return with_tries(lambda: self._wrap(plain, context))

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key of a blob; errors as ``KeyService.unwrap``."""
        name, ciphertext = taken_apart(blob, CODE)
        key, _, number = name.removeprefix(f"{CODE}:").partition("/cryptoKeyVersions/")
        if key != self._key or not _NUMBER.fullmatch(number):
            raise BadBlob("the blob belongs to another key")
        bound = header_of(name) + canonical(context)
        question = ("unwrap", blob, bound)
        plain = self._flights.run(question, lambda: self._unwrap(ciphertext, bound))
        return unpacked(plain, context)

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return a blob of the same key under the present root version."""
        return self.wrap(self.unwrap(blob, context), context)

    def health(self) -> Health:
        """Wrap and unwrap a probe."""
        return base.probed(self)

    def _primary(self) -> str:
        answer = self._tokens.send(lambda header: self._rest.get(self._url(self._key), header))
        name = _checked(answer).text("primary", "name")
        key, _, number = name.partition("/cryptoKeyVersions/")
        if key != self._key or not _NUMBER.fullmatch(number):
            raise Unavailable("the key service gives a strange answer")
        return name

    def _wrap(self, plain: bytes, context: Context) -> bytes:
        primary = self._primary()
        version = f"{CODE}:{primary}"
        members = {
            **_checksummed("plaintext", plain),
            **_checksummed("additionalAuthenticatedData", header_of(version) + canonical(context)),
        }
        answer = self._post(f"{primary}:encrypt", members)
        ciphertext = decoded(answer.text("ciphertext"))
        is_whole = (
            answer.text("name") == primary
            and answer.find("verifiedPlaintextCrc32c") is True
            and answer.find("verifiedAdditionalAuthenticatedDataCrc32c") is True
            and answer.find("ciphertextCrc32c") == str(crc32c(ciphertext))
        )
        if not is_whole:
            raise Unavailable("the answer of the key service was changed on its way")
        return framed(version, ciphertext)

    def _unwrap(self, ciphertext: bytes, bound: bytes) -> bytes:
        members = {
            **_checksummed("ciphertext", ciphertext),
            **_checksummed("additionalAuthenticatedData", bound),
        }
        answer = self._post(f"{self._key}:decrypt", members)
        plain = decoded(answer.text("plaintext"))
        if answer.find("plaintextCrc32c") != str(crc32c(plain)):
            raise Unavailable("the answer of the key service was changed on its way")
        return plain

    def _post(self, what: str, members: Mapping[str, object]) -> Answer:
        return _checked(
            self._tokens.send(lambda header: self._rest.post(self._url(what), header, members))
        )

    def _url(self, what: str) -> str:
        return f"{self._endpoint}/v1/{what}"


class _Account:
    """The facts of a service account's key file."""

    def __init__(self, content: str) -> None:
        try:
            found = json.loads(content)
        except ValueError as error:
            raise Refused("the key file of the service account is damaged") from error
        self._facts = found if isinstance(found, dict) else {}

    def text(self, name: str) -> str:
        found = self._facts.get(name)
        if not isinstance(found, str):
            raise Refused("the key file of the service account is damaged")
        return found

    def assertion(self, now: int) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": self.text("private_key_id")}
        claims = {
            "iss": self.text("client_email"),
            "scope": _SCOPE,
            "aud": self.text("token_uri"),
            "iat": now,
            "exp": now + 600,
        }
        signed = f"{_segment(header)}.{_segment(claims)}"
        signature = self._key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64url(signature)}"

    def _key(self) -> rsa.RSAPrivateKey:
        try:
            key = serialization.load_pem_private_key(self.text("private_key").encode(), None)
        except (ValueError, TypeError) as error:
            raise Refused("the key file of the service account is damaged") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Refused("the key file of the service account is damaged")
        return key


def _checked(answer: Answer) -> Answer:
    if answer.is_success:
        return answer
    state = answer.find("error", "status")
    message = str(answer.find("error", "message"))
    if answer.status == HTTPStatus.NOT_FOUND or state == "FAILED_PRECONDITION":
        raise Refused("the key service refuses the root version: disabled, destroyed or missing")
    if state == "INVALID_ARGUMENT" and "checksum" in message.lower():
        raise Unavailable("our question to the key service was changed on its way")
    if state == "INVALID_ARGUMENT":
        raise BadBlob("the root key does not open this blob")
    raise Unavailable(f"the key service gives a strange answer: {answer.status}")


def _checksummed(name: str, content: bytes) -> dict[str, str]:
    return {
        name: base64.b64encode(content).decode("ascii"),
        f"{name}Crc32c": str(crc32c(content)),
    }


def _segment(members: Mapping[str, object]) -> str:
    return _base64url(json.dumps(members).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
