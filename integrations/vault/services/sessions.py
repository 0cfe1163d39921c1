"""Use a credential without seeing it: a session with an audited lease (vault.md 5)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from audit import services as audit
from foundation import clock
from foundation.errors import DomainError
from foundation.http import Call, HttpAnswer, Session
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from foundation.transactions import in_transaction
from integrations.vault.audit_events import CREDENTIAL_FAILED, CREDENTIAL_USED
from integrations.vault.errors import CredentialNotFound, LeaseEnded, SessionMisused
from integrations.vault.models import Credential, Lease
from integrations.vault.scrubbing import scrubbed
from integrations.vault.services.interfaces import interface_of
from integrations.vault.services.payloads import ApiKey, active_version, open_api_key
from integrations.vault.types import USABLE, LeaseEnd

LEASE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """Adds the key to each call; the caller can neither read nor replace it."""

    secret: ApiKey = field(repr=False)

    def headers_for(self, call: Call) -> Mapping[str, str]:  # noqa: ARG002  asked by the contract
        """Return the header with the key."""
        return {self.secret.header: self.secret.key}


class VaultSession:
    """Calls to the credential's hosts with the key added; answers come back without it."""

    __slots__ = ("_secrets", "_session")

    def __init__(self, session: Session, *, secrets: tuple[str, ...]) -> None:
        self._session = session
        self._secrets = secrets

    def get(self, url: str, *, params: Mapping[str, str | int] | None = None) -> HttpAnswer:
        """Fetch; ``params`` become the query."""
        return scrubbed(self._session.get(url, params=params), self._secrets)

    def post(self, url: str, *, json_body: object) -> HttpAnswer:
        """Send JSON."""
        return scrubbed(self._session.post(url, json_body=json_body), self._secrets)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """Make one call.

        Raises:
            LeaseEnded: the lease is over, or the credential was destroyed.
            TargetRefused, InterfaceRefused, NoAnswer: as ``foundation.http``.
        """
        return scrubbed(
            self._session.request(method, url, headers=headers, body=body), self._secrets
        )

    def __repr__(self) -> str:
        return f"<VaultSession {self._session.interface.code}>"


@contextmanager
def session(
    organisation_id: UUID,
    credential_id: UUID,
    *,
    purpose: str,
    principal: Principal,
    seconds: int = LEASE_SECONDS,
) -> Iterator[VaultSession]:
    """Open a session with a credential, in zone ``vault`` and outside of transactions.

    Args:
        organisation_id: whose credential it is.
        credential_id: the credential.
        purpose: what the work is, for lease and journal.
        principal: who or what uses it.
        seconds: life of the lease; each call checks it.

    Raises:
        SessionMisused: a database transaction is open.
        Refused: this process is not in zone ``vault``.
        CredentialNotFound: the organisation has no such credential.
        NotUsable: it is disabled or destroyed.
        PayloadForeign: its payload belongs elsewhere.
    """
    if in_transaction():
        raise SessionMisused("A vault session is opened only outside of transactions.")
    with organisation_scope(organisation_id):
        credential = _credential(credential_id)
        version = active_version(credential)
    secret = open_api_key(credential, version, principal=principal)
    with organisation_scope(organisation_id):
        lease = _opened_lease(credential, version.number, purpose, principal, seconds)
    _record_use(credential, lease, principal, seconds)
    opened = Session(
        interface=interface_of(credential),
        authenticator=HeaderKey(secret),
        before_each=lambda: _check(lease),
    )
    end = LeaseEnd.FAILED
    try:
        yield VaultSession(opened, secrets=(secret.key,))
        end = LeaseEnd.DONE
    except DomainError as error:
        _record_failure(credential, lease, principal, error)
        raise
    finally:
        _close(lease, end)


def _credential(credential_id: UUID) -> Credential:
    found = Credential.objects.filter(pk=credential_id).first()
    if found is None:
        raise CredentialNotFound
    return found


def _opened_lease(
    credential: Credential, version: int, purpose: str, principal: Principal, seconds: int
) -> Lease:
    moment = clock.now()
    lease = Lease(
        organisation_id=credential.organisation_id,
        credential_id=credential.pk,
        version_number=version,
        holder_kind=principal.kind.value,
        holder_id=principal.on_behalf_of or principal.subject_id or principal.id,
        holder=principal.label if principal.id is None else "",
        purpose=purpose,
        started_at=moment,
        until=moment + timedelta(seconds=seconds),
    )
    lease.save(force_insert=True)
    Credential.objects.filter(pk=credential.pk).update(
        last_used_at=moment, last_used_for=purpose, last_used_by=lease.holder_id
    )
    return lease


def _check(lease: Lease) -> None:
    """Stop a call whose lease is over, at the latest moment before it is made.

    Raises:
        LeaseEnded: time over, ended, or the credential was cut off.
    """
    with organisation_scope(lease.organisation_id):
        is_open = Lease.objects.filter(
            pk=lease.pk, ended_at__isnull=True, until__gt=clock.now()
        ).exists()
        is_usable = Credential.objects.filter(
            pk=lease.credential_id, state__in=sorted(USABLE)
        ).exists()
    if not (is_open and is_usable):
        raise LeaseEnded


def _close(lease: Lease, end: LeaseEnd) -> None:
    with organisation_scope(lease.organisation_id):
        Lease.objects.filter(pk=lease.pk, ended_at__isnull=True).update(
            ended_at=clock.now(), end_reason=end
        )


def _record_use(credential: Credential, lease: Lease, principal: Principal, seconds: int) -> None:
    audit.record(
        CREDENTIAL_USED,
        principal=replace(principal, organisation_id=credential.organisation_id),
        target=credential,
        purpose=lease.purpose,
        details={"lease": lease.pk, "version": lease.version_number, "seconds": seconds},
    )


def _record_failure(
    credential: Credential, lease: Lease, principal: Principal, error: DomainError
) -> None:
    audit.record(
        CREDENTIAL_FAILED,
        principal=replace(principal, organisation_id=credential.organisation_id),
        target=credential,
        outcome="failure",
        details={
            "lease": lease.pk,
            "version": lease.version_number,
            "code": error.reason_code,
        },
    )
