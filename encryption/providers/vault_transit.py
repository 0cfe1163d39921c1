"""Key service of Vault or OpenBao: the secrets engine ``transit``.

The key must be of type ``aes256-gcm96`` and made with ``derived=true``: then the context enters the
key itself, and ``rewrap`` works on the server (it knows no associated data). Root versions are the
versions of the transit key. The token is read from its file at each call, so an agent may renew it.
"""

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from django.conf import settings

from encryption.providers import base
from encryption.providers.base import BadBlob, Context, Health, Refused, Unavailable, canonical
from encryption.providers.blobs import framed, packed, require_short, taken_apart, unpacked
from encryption.providers.calls import SingleFlight, with_tries
from encryption.providers.files import read_secret
from encryption.providers.rest import Answer, Rest, authorities, decoded

CODE: Final = "vault_transit"
_CIPHERTEXT: Final = re.compile(r"vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
# Texts of HTTP 400, in Vault 1.19 and OpenBao 2: the status alone does not tell them apart.
_REFUSALS: Final = ("(too old)", "key not found", "no such key", "deleted")
_CHANGED: Final = ("invalid ciphertext", "authentication failed")


def from_settings() -> "VaultTransit":
    """Return the key service that the settings describe."""
    return VaultTransit(
        settings.VAULT_TRANSIT_KEY,
        token_file=Path(settings.VAULT_TRANSIT_TOKEN_FILE),
        namespace=settings.VAULT_TRANSIT_NAMESPACE,
        rest=Rest(authorities()),
    )


class VaultTransit:
    """The key service.

    Args:
        key: address of the key, ``https://vault.example:8200/v1/transit/keys/gatehouse``.
        token_file: file with the token.
        namespace: namespace of the engine; empty: none.
        rest: connection.
    """

    def __init__(self, key: str, *, token_file: Path, namespace: str, rest: Rest) -> None:
        require_short("VAULT_TRANSIT_KEY", f"{CODE}:{key}#999999")
        self._engine, _, self._key = key.rpartition("/keys/")
        if not self._engine or not self._key:
            raise ValueError("VAULT_TRANSIT_KEY must be an address with /keys/ and a name")
        self._address = key
        self._token_file = token_file
        self._namespace = namespace
        self._rest = rest
        self._flights = SingleFlight()

    @property
    def version(self) -> str:
        """Name of the root version that wraps new blobs."""
        return self._name(with_tries(self._latest))

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
        text = self._text(blob)
        members = {"ciphertext": text, "context": _base64(canonical(context))}
        question = ("unwrap", blob, canonical(context))
        plain = self._flights.run(
            question, lambda: decoded(self._post("decrypt", members).text("data", "plaintext"))
        )
        return unpacked(plain, context)

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return a blob of the same key under the present root version, made by the server."""
        text = self._text(blob)
        members = {"ciphertext": text, "context": _base64(canonical(context))}
        return with_tries(lambda: self._blob(self._post("rewrap", members)))

    def health(self) -> Health:
        """Wrap and unwrap a probe."""
        return base.probed(self)

    def _wrap(self, plain: bytes, context: Context) -> bytes:
        members = {
            "plaintext": _base64(plain),
            "context": _base64(canonical(context)),
            "key_version": self._latest(),
        }
        return self._blob(self._post("encrypt", members))

    def _latest(self) -> int:
        """Return the newest version, after a look at the key that binds no context."""
        answer = self._checked(self._rest.get(self._address, self._headers()))
        latest = answer.find("data", "latest_version")
        if not isinstance(latest, int) or latest < 1:
            raise Unavailable("the key service gives a strange answer")
        if answer.find("data", "type") != "aes256-gcm96" or not answer.find("data", "derived"):
            raise Refused("the transit key must be of type aes256-gcm96 with derived=true")
        return latest

    def _post(self, what: str, members: Mapping[str, object]) -> Answer:
        url = f"{self._engine}/{what}/{self._key}"
        return self._checked(self._rest.post(url, self._headers(), members))

    def _headers(self) -> dict[str, str]:
        headers = {
            "X-Vault-Token": read_secret(self._token_file, "the token of the key service"),
            "X-Vault-Request": "true",
        }
        return headers | ({"X-Vault-Namespace": self._namespace} if self._namespace else {})

    def _checked(self, answer: Answer) -> Answer:
        if answer.is_success:
            return answer
        found = answer.find("errors")
        text = " ".join(map(str, found)) if isinstance(found, list) else ""
        if answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise Refused("the key service refuses us the key: check the token and the key")
        if any(part in text for part in _REFUSALS):
            raise Refused("the key service refuses the root version of this blob")
        if any(part in text for part in _CHANGED):
            raise BadBlob("the root key does not open this blob")
        raise Unavailable(f"the key service gives a strange answer: {answer.status}")

    def _text(self, blob: bytes) -> str:
        name, ciphertext = taken_apart(blob, CODE)
        prefix, _, number = name.rpartition("#")
        # Version 0 is read as 1 by the service: only one spelling may open a blob.
        if f"{prefix}#" != self._name("") or not _NUMBER.fullmatch(number):
            raise BadBlob("the blob belongs to another transit key")
        return f"vault:v{number}:{_base64(ciphertext)}"

    def _blob(self, answer: Answer) -> bytes:
        match = _CIPHERTEXT.fullmatch(answer.text("data", "ciphertext"))
        if match is None:
            raise Unavailable("the key service gives a strange answer")
        return framed(self._name(match[1]), decoded(match[2]))

    def _name(self, number: int | str) -> str:
        return f"{CODE}:{self._address}#{number}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
