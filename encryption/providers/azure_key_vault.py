"""Key service of Azure: Key Vault or Managed HSM.

Root versions are the versions of one key. The service knows no associated data, so the context is
bound by its digest among the wrapped bytes. With ``RSA-OAEP-256`` anybody who has the public half
can make a blob that opens; ``A256KW`` (keys of a Managed HSM) has no public half and is better.
"""

import base64
import binascii
import re
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from encryption.providers import base
from encryption.providers.base import BadBlob, Context, Health, Refused, Unavailable, canonical
from encryption.providers.blobs import framed, packed, require_short, taken_apart, unpacked
from encryption.providers.calls import SingleFlight, with_tries
from encryption.providers.rest import AccessTokens, Answer, Rest, authorities, token_in

CODE: Final = "azure_key_vault"
METADATA: Final = "http://169.254.169.254/metadata/identity/oauth2/token"
ALGORITHMS: Final = ("RSA-OAEP-256", "A256KW")
_API: Final = "api-version=7.4"
_VERSION: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_KEY: Final = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?/keys/[A-Za-z0-9-]+", re.ASCII)


def from_settings() -> "AzureKeyVault":
    """Return the key service that the settings describe."""
    rest = Rest(authorities())
    key = settings.AZURE_KEY_VAULT_KEY
    identity = (
        Application(
            f"{settings.AZURE_AUTHORITY}/{settings.AZURE_TENANT_ID}",
            client_id=settings.AZURE_CLIENT_ID,
            client_secret=settings.AZURE_CLIENT_SECRET,
            resource=resource_of(key),
            rest=rest,
        )
        if settings.AZURE_CLIENT_SECRET
        else ManagedIdentity(METADATA, settings.AZURE_CLIENT_ID, resource_of(key))
    )
    return AzureKeyVault(
        key, algorithm=settings.AZURE_KEY_VAULT_ALGORITHM, identity=identity, rest=rest
    )


def resource_of(key: str) -> str:
    """Return what tokens for a key are asked for: the domain of its kind of vault."""
    return f"https://{(urlsplit(key).hostname or '').partition('.')[2]}"


class Application:
    """Identity of a registered application, by its client secret.

    Args:
        authority: address of the tenant, ``https://login.microsoftonline.com/<tenant>``.
        client_id: of the application.
        client_secret: its secret.
        resource: what the token is for.
        rest: connection.
    """

    def __init__(
        self, authority: str, *, client_id: str, client_secret: str, resource: str, rest: Rest
    ) -> None:
        self._url = f"{authority}/oauth2/v2.0/token"
        self._fields = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "scope": f"{resource}/.default",
        }
        self._rest = rest

    def __call__(self) -> tuple[str, int]:
        """Return an access token and its seconds."""
        return token_in(self._rest.post_form(self._url, self._fields))


class ManagedIdentity:
    """Identity of the machine, from the metadata service.

    Args:
        address: where that service gives tokens.
        client_id: which of several identities; empty: the only one.
        resource: what the token is for.
    """

    def __init__(self, address: str, client_id: str, resource: str) -> None:
        query = {"api-version": "2018-02-01", "resource": resource}
        query |= {"client_id": client_id} if client_id else {}
        self._url = f"{address}?{urlencode(query)}"

    def __call__(self) -> tuple[str, int]:
        """Return an access token and its seconds."""
        return token_in(Rest().get(self._url, {"Metadata": "true"}))


class AzureKeyVault:
    """The key service.

    Args:
        key: identifier of the key without version, ``https://x.vault.azure.net/keys/gatehouse``.
        algorithm: one of ``ALGORITHMS``, as the key's type asks for.
        identity: gives access tokens.
        rest: connection.
    """

    def __init__(
        self, key: str, *, algorithm: str, identity: Application | ManagedIdentity, rest: Rest
    ) -> None:
        if not _KEY.fullmatch(key):
            raise ValueError(f"AZURE_KEY_VAULT_KEY is no identifier of a key: {key!r}")
        if algorithm not in ALGORITHMS:
            raise ValueError(f"AZURE_KEY_VAULT_ALGORITHM must be one of {ALGORITHMS}")
        require_short("AZURE_KEY_VAULT_KEY", f"{CODE}:{key}/{'0' * 32}")
        self._key = key
        self._algorithm = algorithm
        self._rest = rest
        self._tokens = AccessTokens(identity)
        self._flights = SingleFlight()

    @property
    def version(self) -> str:
        """Name of the root version that wraps new blobs: the newest one."""
        return self._name(with_tries(self._newest))

    def version_of(self, blob: bytes) -> str:
        """Return the name of the root version that wrapped a blob."""
        return taken_apart(blob, CODE)[0]

    def generate(self, context: Context) -> tuple[bytes, bytes]:
        """Return a new key of 32 bytes and its blob."""
        return base.generated(self, context)

    def wrap(self, raw: bytes, context: Context) -> bytes:
        """Return the blob of a key."""
        plain = packed(raw, context)
        return with_tries(lambda: self._wrap(plain))

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key of a blob; errors as ``KeyService.unwrap``."""
        name, ciphertext = taken_apart(blob, CODE)
        prefix, _, version = name.rpartition("/")
        if f"{prefix}/" != self._name("") or not _VERSION.fullmatch(version):
            raise BadBlob("the blob belongs to another key")
        question = ("unwrap", blob, canonical(context))
        plain = self._flights.run(question, lambda: self._operate("unwrapkey", version, ciphertext))
        return unpacked(plain, context)

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return a blob of the same key under the present root version."""
        return self.wrap(self.unwrap(blob, context), context)

    def health(self) -> Health:
        """Wrap and unwrap a probe."""
        return base.probed(self)

    def _wrap(self, plain: bytes) -> bytes:
        version = self._newest()
        return framed(self._name(version), self._operate("wrapkey", version, plain))

    def _newest(self) -> str:
        url = f"{self._key}?{_API}"
        answer = _checked(self._tokens.send(lambda header: self._rest.get(url, header)))
        return self._version_in(answer.text("key", "kid"))

    def _operate(self, what: str, version: str, content: bytes) -> bytes:
        url = f"{self._key}/{version}/{what}?{_API}"
        members = {"alg": self._algorithm, "value": _base64url(content)}
        answer = _checked(self._tokens.send(lambda header: self._rest.post(url, header, members)))
        if self._version_in(answer.text("kid")) != version:
            raise Unavailable("the key service gives a strange answer")
        return _bytes(answer.text("value"))

    def _version_in(self, kid: str) -> str:
        key, _, version = kid.rpartition("/")
        if key.lower() != self._key.lower() or not _VERSION.fullmatch(version):
            raise Unavailable("the key service gives a strange answer")
        return version

    def _name(self, version: str) -> str:
        return f"{CODE}:{self._key}/{version}"


def _checked(answer: Answer) -> Answer:
    if answer.is_success:
        return answer
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
        raise Refused("the key service refuses the root version: deleted, or being deleted")
    if answer.status == HTTPStatus.BAD_REQUEST and answer.find("error", "code") == "BadParameter":
        raise BadBlob("the root key does not open this blob")
    raise Unavailable(f"the key service gives a strange answer: {answer.status}")


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unavailable("the key service gives a strange answer") from error
