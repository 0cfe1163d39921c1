"""Seal secrets to the vault and open them in zone ``vault``.

What HPKE gives is bound to credential, version and host list, then sealed once more under the
credential's own data key, so that destroying that key shreds it (vault.md 1).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import connections

from audit import services as audit
from encryption.errors import Refused, Tampered
from encryption.services import mac, open_from_vault, seal_to_vault
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from integrations.vault.audit_events import CREDENTIAL_TAMPERED
from integrations.vault.errors import NotUsable, PayloadForeign
from integrations.vault.models import Credential, CredentialVersion
from integrations.vault.types import USABLE, VersionState

VAULT: Final = "vault"
FINGERPRINT_PURPOSE: Final = "vault.fingerprint"
_CONTEXT: Final = b"gatehouse credential payload v1"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An opened API key; it prints without its secret and lives as long as one session."""

    header: str
    key: str = field(repr=False)


def associated_data(credential_id: UUID, *, version: int, hosts: Iterable[str]) -> bytes:
    """Return what a payload is bound to; the format is stored and never changes."""
    digest = hashlib.sha256("\n".join(sorted(hosts)).encode()).digest()
    return _CONTEXT + credential_id.bytes + version.to_bytes(4, "big") + digest


def seal_api_key(secret: ApiKey, *, credential: Credential, version: int) -> bytes:
    """Seal an API key for one version of a credential; the web zone cannot open it again."""
    plaintext = json.dumps({"header": secret.header, "key": secret.key}).encode()
    bound = associated_data(credential.pk, version=version, hosts=credential.allowed_hosts)
    return seal_to_vault(plaintext, bound)


def fingerprint_of(key: str) -> bytes:
    """Return a keyed digest that tells whether two secrets are the same."""
    return mac(FINGERPRINT_PURPOSE, key.encode())


def active_version(credential: Credential) -> CredentialVersion:
    """Read the active version of a credential by alias ``vault``, in its organisation's scope.

    Raises:
        Refused: this process is not in zone ``vault``.
        NotUsable: the credential is disabled or destroyed, or has no active version.
    """
    if VAULT not in connections:
        raise Refused("only zone vault opens credentials", code="vault.zone")
    if credential.state not in USABLE:
        raise NotUsable
    with organisation_scope(credential.organisation_id, using=VAULT):
        versions = CredentialVersion.objects.using(VAULT).filter(credential_id=credential.pk)
        found: CredentialVersion | None = versions.filter(state=VersionState.ACTIVE).first()
    if found is None:
        raise NotUsable
    return found


def open_api_key(
    credential: Credential, version: CredentialVersion, *, principal: Principal
) -> ApiKey:
    """Open the payload of a version, in zone ``vault`` and best outside of a transaction.

    Raises:
        Refused: this process is not in zone ``vault``.
        PayloadForeign: the payload does not belong to this credential, version and host list.
        Erased: the credential was destroyed.
    """
    bound = associated_data(credential.pk, version=version.number, hosts=credential.allowed_hosts)
    try:
        parts = json.loads(open_from_vault(version.payload, bound))
    except Tampered as error:
        audit.record(
            CREDENTIAL_TAMPERED,
            principal=principal,
            target=credential,
            outcome="failure",
            details={"version": version.number},
        )
        raise PayloadForeign("The stored secret does not belong to this credential.") from error
    return ApiKey(header=parts["header"], key=parts["key"])
