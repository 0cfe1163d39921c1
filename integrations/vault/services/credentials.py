"""Store a credential, give it a new secret, destroy it."""

import re
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit import services as audit
from encryption.services import Owner, OwnerKind, erase
from foundation import clock
from foundation.errors import Conflict, Denied, DomainError, FieldError
from foundation.http.targets import normal_host, read_target
from foundation.principals import Principal
from foundation.tenancy import required_organisation
from integrations.vault.audit_events import (
    CREDENTIAL_CREATED,
    CREDENTIAL_DESTROYED,
    CREDENTIAL_ROTATED,
)
from integrations.vault.errors import CredentialInvalid, CredentialNotFound, NotUsable
from integrations.vault.models import Credential, CredentialVersion, Lease
from integrations.vault.permissions import MANAGE
from integrations.vault.queries import colleagues, versions_of, visible_to
from integrations.vault.services.interfaces import interface_of
from integrations.vault.services.payloads import ApiKey, fingerprint_of, seal_api_key
from integrations.vault.types import USABLE, CredentialState, LeaseEnd, NewApiKey, VersionState

MAX_HOSTS = 20
KEY_CHARACTERS = range(8, 4097)
_KEY = re.compile(r"[!-~]+( [!-~]+)*")  # visible, single spaces inside: "Bearer abc"
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# Headers that would change the meaning of the request itself; foundation.http sets them.
_RESERVED = frozenset(
    [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "accept-encoding",
        "upgrade",
        "cookie",
        "content-type",
    ]
)


@transaction.atomic
def store_api_key(new: NewApiKey, *, principal: Principal) -> Credential:
    """Store an API key; from here on nobody in the web zone can read it.

    Raises:
        Denied: the principal may not manage credentials.
        CredentialInvalid: a part is wrong; the errors say which.
        KeysUnavailable: the vault has no key pair, or the keys database is away.
    """
    _require_manage(principal)
    hosts, errors = _hosts(new.hosts)
    credential = Credential(
        organisation_id=required_organisation(),
        name=new.name.strip(),
        purpose=new.purpose.strip(),
        allowed_hosts=hosts,
        probe_url=new.probe_url.strip(),
        owner_id=new.owner_id,
    )
    errors += _wrong_parts(new) + _wrong_secret(new.header, new.key)
    errors += [] if errors else _wrong_probe(credential)
    _refuse(errors)
    credential.save(force_insert=True)
    _add_version(credential, ApiKey(header=new.header, key=new.key), number=1)
    audit.record(
        CREDENTIAL_CREATED,
        principal=principal,
        target=credential,
        details={"type": credential.type, "version": 1},
    )
    return credential


@transaction.atomic
def store_version(
    credential_id: UUID, *, header: str, key: str, replaces: int, principal: Principal
) -> Credential:
    """Give a credential a new secret in place of the one that is named.

    Args:
        credential_id: the credential.
        header: name of the header that carries the key.
        key: the new secret.
        replaces: number of the version it takes the place of.
        principal: who does it.

    Raises:
        CredentialNotFound: there is none, or not for this principal.
        Conflict: another version was stored meanwhile.
        CredentialInvalid: header or key is wrong.
    """
    credential = _locked(credential_id, principal)
    if credential.state not in USABLE:
        raise NotUsable
    if credential.version != replaces:
        raise Conflict(_("Another key was stored in the meantime."), code="vault.stale_version")
    _refuse(_wrong_secret(header, key))
    versions_of(credential.pk).filter(state=VersionState.ACTIVE).update(state=VersionState.PREVIOUS)
    credential.version += 1
    credential.state = CredentialState.ACTIVE
    credential.save(update_fields=["version", "state"])
    _add_version(credential, ApiKey(header=header, key=key), number=credential.version)
    audit.record(
        CREDENTIAL_ROTATED,
        principal=principal,
        target=credential,
        details={"version": credential.version},
    )
    return credential


@transaction.atomic
def destroy(credential_id: UUID, *, principal: Principal) -> Credential:
    """Destroy a credential for good: leases end, its data key is erased.

    The erasure comes last: if it fails nothing is changed, and a crash after it leaves a
    credential that opens nothing and can be destroyed again.

    Raises:
        CredentialNotFound: there is none, or not for this principal.
        KeysUnavailable: the key cannot be destroyed now.
    """
    credential = _locked(credential_id, principal)
    before = audit.snapshot(credential)
    leases = Lease.objects.filter(credential=credential, ended_at__isnull=True)
    ended = leases.update(ended_at=clock.now(), end_reason=LeaseEnd.DESTROYED)
    versions_of(credential.pk).update(state=VersionState.DESTROYED)
    credential.state = CredentialState.DESTROYED
    credential.save(update_fields=["state"])
    audit.record(
        CREDENTIAL_DESTROYED,
        principal=principal,
        target=credential,
        changes={"state": (before.state, credential.state)},
        details={"leases_ended": ended},
    )
    erase(Owner(OwnerKind.CREDENTIAL, credential.pk))
    return credential


def _require_manage(principal: Principal) -> None:
    if not principal.may(MANAGE.code) or principal.organisation_id != required_organisation():
        raise Denied(_("You do not have the right to manage credentials."))


def _locked(credential_id: UUID, principal: Principal) -> Credential:
    found = visible_to(principal).filter(pk=credential_id).select_for_update().first()
    if found is None:
        raise CredentialNotFound
    _require_manage(principal)
    return found


def _add_version(credential: Credential, secret: ApiKey, *, number: int) -> None:
    CredentialVersion(
        organisation_id=credential.organisation_id,
        credential_id=credential.pk,
        number=number,
        payload=seal_api_key(secret, credential=credential, version=number),
        fingerprint=fingerprint_of(secret.key),
    ).save(force_insert=True)


def _refuse(errors: Iterable[FieldError]) -> None:
    found = tuple(errors)
    if found:
        raise CredentialInvalid(_("Some values are not valid."), errors=found)


def _hosts(given: Iterable[str]) -> tuple[list[str], list[FieldError]]:
    hosts: set[str] = set()
    errors = []
    for text in given:
        try:
            hosts.add(normal_host(text.strip()))
        except DomainError:
            detail = _("Enter host names alone, without https:// and path.")
            errors.append(FieldError("/hosts", "host_malformed", detail))
    if not hosts and not errors:
        errors.append(FieldError("/hosts", "required", _("Name at least one host.")))
    if len(hosts) > MAX_HOSTS:
        detail = _("At most %(count)d hosts are allowed.") % {"count": MAX_HOSTS}
        errors.append(FieldError("/hosts", "too_many", detail))
    return sorted(hosts), errors[:1]


def _wrong_parts(new: NewApiKey) -> list[FieldError]:
    errors = []
    for pointer, text in (("/name", new.name), ("/purpose", new.purpose)):
        if not text.strip() or not text.isprintable():
            errors.append(FieldError(pointer, "required", _("Enter a text of one line.")))
    if new.owner_id not in colleagues():
        detail = _("Choose a person of your organisation.")
        errors.append(FieldError("/owner", "not_a_colleague", detail))
    return errors


def _wrong_secret(header: str, key: str) -> list[FieldError]:
    errors = []
    if not _HEADER.fullmatch(header) or header.lower() in _RESERVED:
        detail = _("Enter a header name such as Authorization or X-Api-Key.")
        errors.append(FieldError("/header", "header_refused", detail))
    if len(key) not in KEY_CHARACTERS or not _KEY.fullmatch(key):
        detail = _("A key has 8 to 4096 visible ASCII characters.")
        errors.append(FieldError("/key", "key_refused", detail))
    return errors


def _wrong_probe(credential: Credential) -> list[FieldError]:
    """Check the test address by the rules of the way out, without a call."""
    try:
        read_target(credential.probe_url, interface=interface_of(credential))
    except DomainError as error:
        return [FieldError("/probe_url", error.reason_code, error.message)]
    return []
