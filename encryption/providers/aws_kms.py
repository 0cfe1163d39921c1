"""Key service of AWS: KMS.

Root versions are keys of type SYMMETRIC_DEFAULT, listed by the settings; the last one wraps. The
automatic rotation inside of one key is no new root version: its old material cannot be destroyed
alone. The context is KMS's encryption context, so it shows in the log of AWS.

A blob opens only by a key of the list: KMS alone would take any key that lets us decrypt, and so
the blob of a stranger's account.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from encryption.providers import base
from encryption.providers.base import BadBlob, Context, Health, Refused, Unavailable, canonical
from encryption.providers.blobs import framed, packed, taken_apart, unpacked
from encryption.providers.calls import CONNECT_SECONDS, READ_SECONDS, SingleFlight, with_tries

CODE: Final = "aws_kms"
_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+", re.ASCII)
# Codes of the API reference of KMS, "Errors" of Encrypt, Decrypt and ReEncrypt, and common errors.
_CHANGED: Final = frozenset(
    {"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"}
)
_REFUSALS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "DisabledException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidGrantTokenException",
        "InvalidKeyUsageException",
        "InvalidSignatureException",
        "KMSInvalidStateException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "NotFoundException",
        "OptInRequired",
        "UnrecognizedClientException",
    }
)


class Client(Protocol):
    """What is used of boto3's client."""

    def encrypt(self, **members: object) -> Mapping[str, object]:
        """Encrypt."""
        ...

    def decrypt(self, **members: object) -> Mapping[str, object]:
        """Decrypt."""
        ...

    def re_encrypt(self, **members: object) -> Mapping[str, object]:
        """Decrypt and encrypt inside of the service."""
        ...


def from_settings() -> "AwsKms":
    """Return the key service that the settings describe."""
    return AwsKms(
        settings.AWS_KMS_KEYS,
        endpoint=settings.AWS_KMS_ENDPOINT,
        ca_file=settings.KEY_SERVICE_CA_FILE or None,
    )


class AwsKms:
    """The key service.

    Args:
        keys: ARNs of keys of one region, oldest first.
        endpoint: another address of the service, as of a VPC; empty: the public one.
        ca_file: authorities that sign its certificate; None: the public ones.
    """

    def __init__(
        self, keys: Sequence[str], *, endpoint: str = "", ca_file: str | None = None
    ) -> None:
        matches = [_ARN.fullmatch(key) for key in keys]
        regions = {match[1] for match in matches if match is not None}
        if None in matches or len(regions) != 1:
            raise ValueError("AWS_KMS_KEYS must list ARNs of keys of one region, the newest last")
        self._keys = tuple(keys)
        self._region = regions.pop()
        self._endpoint = endpoint or None
        self._ca_file = ca_file
        self._flights = SingleFlight()
        self._lock = Lock()
        self._process = 0
        self._client: Client | None = None

    @property
    def version(self) -> str:
        """Name of the root version that wraps new blobs: the last key of the list."""
        return f"{CODE}:{self._keys[-1]}"

    def version_of(self, blob: bytes) -> str:
        """Return the name of the root version that wrapped a blob."""
        return taken_apart(blob, CODE)[0]

    def generate(self, context: Context) -> tuple[bytes, bytes]:
        """Return a new key of 32 bytes and its blob."""
        return base.generated(self, context)

    def wrap(self, raw: bytes, context: Context) -> bytes:
        """Return the blob of a key."""
        call = partial(
            self._open_client().encrypt,
            KeyId=self._keys[-1],
            Plaintext=packed(raw, context),
            EncryptionContext=_texts(context),
        )
        return framed(self.version, with_tries(lambda: self._ask(call, "CiphertextBlob")))

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key of a blob; errors as ``KeyService.unwrap``."""
        key, ciphertext = self._taken_apart(blob)
        call = partial(
            self._open_client().decrypt,
            KeyId=key,
            CiphertextBlob=ciphertext,
            EncryptionContext=_texts(context),
        )
        question = ("unwrap", blob, canonical(context))
        plain = self._flights.run(question, lambda: self._ask(call, "Plaintext"))
        return unpacked(plain, context)

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return a blob of the same key under the present root version, made by the service."""
        key, ciphertext = self._taken_apart(blob)
        call = partial(
            self._open_client().re_encrypt,
            SourceKeyId=key,
            DestinationKeyId=self._keys[-1],
            CiphertextBlob=ciphertext,
            SourceEncryptionContext=_texts(context),
            DestinationEncryptionContext=_texts(context),
        )
        return framed(self.version, with_tries(lambda: self._ask(call, "CiphertextBlob")))

    def health(self) -> Health:
        """Wrap and unwrap a probe."""
        return base.probed(self)

    def _taken_apart(self, blob: bytes) -> tuple[str, bytes]:
        name, ciphertext = taken_apart(blob, CODE)
        key = name.removeprefix(f"{CODE}:")
        if key not in self._keys:
            raise BadBlob("the blob belongs to a key that the settings do not list")
        return key, ciphertext

    def _ask(self, call: Callable[[], Mapping[str, object]], member: str) -> bytes:
        try:
            answer = call()
        except ClientError as error:
            raise _judged(error) from error
        except BotoCoreError as error:  # no connection, no answer in time, no credentials yet
            raise Unavailable(f"the key service cannot be asked: {type(error).__name__}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # What boto3's reader raises at an answer in another shape.
            raise Unavailable("the key service gives a strange answer") from error
        found = answer.get(member)
        if not isinstance(found, bytes) or not found:
            raise Unavailable("the key service gives a strange answer")
        return found

    def _open_client(self) -> Client:
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._process = os.getpid()
                self._client = self._new_client()
            return self._client

    def _new_client(self) -> Client:
        made: Client = boto3.session.Session().client(
            "kms",
            region_name=self._region,
            endpoint_url=self._endpoint,
            verify=self._ca_file,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 1, "mode": "standard"},  # with_tries tries again
            ),
        )
        return made


def _judged(error: ClientError) -> base.KeyServiceError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _CHANGED:
        return BadBlob("the root key does not open this blob")
    if code in _REFUSALS:
        return Refused(f"the key service refuses the root key: {code}")
    return Unavailable(f"the key service is busy or broken: {code}")


def _texts(context: Context) -> dict[str, str]:
    return {name: str(value) for name, value in context.items()}
