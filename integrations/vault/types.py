"""Words of the vault: types and states of credentials, and what its services hand out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CredentialType(TextChoices):
    """What kind of secret it is; the others of vault.md 2 come with their connectors."""

    API_KEY = "api_key", _("API key in a header")


class CredentialState(TextChoices):
    """Where a credential is in its life."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    EXPIRING = "expiring", _("Expiring")
    FAILING = "failing", _("Failing")
    DISABLED = "disabled", _("Disabled")
    DESTROYED = "destroyed", _("Destroyed")


USABLE = frozenset({CredentialState.ACTIVE, CredentialState.EXPIRING, CredentialState.FAILING})
"""States in which a lease may be opened."""


class VersionState(TextChoices):
    """Where one version of a secret is in its life."""

    PENDING = "pending", _("Pending")
    ACTIVE = "active", _("Active")
    PREVIOUS = "previous", _("Previous")
    SOFT_DELETED = "soft_deleted", _("Deleted, can be restored")
    DESTROYED = "destroyed", _("Destroyed")


class LeaseEnd(TextChoices):
    """Why a lease ended."""

    DONE = "done", _("The work was done")
    FAILED = "failed", _("The work failed")
    EXPIRED = "expired", _("Its time was over")
    DESTROYED = "destroyed", _("The credential was destroyed")
    DISABLED = "disabled", _("The credential was disabled")


class ResultState(TextChoices):
    """Where a test of a credential is."""

    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Calling the other system")
    PASSED = "passed", _("The key works")
    FAILED = "failed", _("The test failed")


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """What is needed to store an API key.

    Attributes:
        name: how people call it.
        purpose: why it exists.
        header: name of the header that carries the key.
        key: the secret; it is never given back.
        hosts: host names the key may be sent to.
        probe_url: https address that a test calls; its host is one of the hosts.
        owner_id: person in charge.
    """

    name: str
    purpose: str
    header: str
    key: str
    hosts: tuple[str, ...]
    probe_url: str
    owner_id: UUID

    def __repr__(self) -> str:
        return f"<NewApiKey {self.name!r}>"


@dataclass(frozen=True, slots=True)
class CredentialView:
    """A credential as pages show it; nothing secret is in reach of it."""

    id: UUID
    name: str
    type: CredentialType
    state: CredentialState
    purpose: str
    hosts: tuple[str, ...]
    probe_url: str
    owner: str
    version: int
    created_at: datetime
    last_used_at: datetime | None
    last_used_for: str
    versions: tuple["VersionView", ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether it may be used now."""
        return self.state in USABLE


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of a credential without its payload."""

    number: int
    state: VersionState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ResultView:
    """A test of a credential as pages show it.

    Attributes:
        code: stable code of a failure; empty while it runs or after a success.
        status: HTTP status of the answer, if one came.
        elapsed_ms: duration of the call.
    """

    id: UUID
    state: ResultState
    code: str
    status: int | None
    elapsed_ms: int | None
    requested_at: datetime
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will change."""
        return self.state in {ResultState.PASSED, ResultState.FAILED}
