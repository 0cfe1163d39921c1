"""Tables of the vault: credentials, versions with sealed payloads, leases, results of tests.

The web role may insert a version and change its state but never select the payload column: that
is granted to role ``gatehouse_vault`` alone, through alias ``vault`` (migration 0002).
"""

from typing import ClassVar

from django.conf import settings
from django.db import models

from encryption.fields import SealedBinaryField
from encryption.sealed import ScopedSealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation.clock import now
from foundation.models import Entity
from foundation.tenancy import ScopedManager
from integrations.vault.types import (
    CredentialState,
    CredentialType,
    LeaseEnd,
    ResultState,
    VersionState,
)


class Credential(Entity):
    """A secret for one outside system, without the secret.

    Attributes:
        allowed_hosts: sorted host names that calls may name; bound into each payload.
        owner: person in charge.
        version: number of the newest version.
        last_used_for: purpose of the last lease.
        last_used_by: subject or client for whom it was.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    name = models.CharField(max_length=120)
    type = models.CharField(
        max_length=30, choices=CredentialType.choices, default=CredentialType.API_KEY
    )
    template = models.CharField(max_length=60, default="generic")
    allowed_hosts = models.JSONField(default=list)
    probe_url = models.CharField(max_length=500)
    purpose = models.CharField(max_length=200)
    policy = models.JSONField(default=dict)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(
        max_length=20, choices=CredentialState.choices, default=CredentialState.ACTIVE
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True)
    last_used_for = models.CharField(max_length=120, blank=True)
    last_used_by = models.UUIDField(null=True)

    objects = ScopedManager()

    class Meta:
        db_table = "vault_credential"
        indexes: ClassVar = [
            models.Index(fields=("organisation", "name", "id"), name="vault_credential_by_name")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=CredentialState.values), name="vault_credential_state"
            )
        ]

    def __str__(self) -> str:
        return f"credential {self.pk}"


class CredentialVersion(SealedMixin, Entity):
    """One secret of a credential: HPKE text to the vault, under the credential's own data key.

    Attributes:
        payload: readable by alias ``vault`` alone; the web role writes it once.
        fingerprint: keyed digest of the secret, which tells equal secrets apart from others.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, db_constraint=False, related_name="versions"
    )
    number = models.PositiveIntegerField()
    payload = SealedBinaryField(
        label="vault.credential_version.payload",
        owner_kind=OwnerKind.CREDENTIAL,
        owner="credential_id",
    )
    fingerprint = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=now)
    not_before = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    absolute_end_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=20, choices=VersionState.choices, default=VersionState.ACTIVE
    )

    objects = ScopedSealedManager()

    class Meta:
        db_table = "vault_credential_version"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("credential", "number"), name="vault_credential_version_once"
            ),
            models.UniqueConstraint(
                fields=("credential",),
                condition=models.Q(state="active"),
                name="vault_credential_version_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"credential version {self.pk}"


class Lease(Entity):
    """The right to use a credential for one piece of work, until a time.

    Attributes:
        holder_kind: type of actor.
        holder_id: subject or client for whom it is.
        holder: name of the system task that uses it.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, db_constraint=False, related_name="leases"
    )
    version_number = models.PositiveIntegerField()
    holder_kind = models.CharField(max_length=20)
    holder_id = models.UUIDField(null=True)
    holder = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=120)
    started_at = models.DateTimeField(default=now)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, choices=LeaseEnd.choices, blank=True)

    objects = ScopedManager()

    class Meta:
        db_table = "vault_lease"
        indexes: ClassVar = [
            models.Index(fields=("credential", "ended_at"), name="vault_lease_open")
        ]

    def __str__(self) -> str:
        return f"lease {self.pk}"


class HealthResult(Entity):
    """One test of a credential: asked for, claimed by a worker, finished.

    Attributes:
        sent_at: when a worker was last told of it.
        claimed_until: until then it is a worker's, or was when it went back into the queue.
        attempts: how many workers took it.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, db_constraint=False, related_name="results"
    )
    state = models.CharField(max_length=20, choices=ResultState.choices, default=ResultState.QUEUED)
    requested_by = models.UUIDField(null=True)
    requested_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(default=now)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=60, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    elapsed_ms = models.PositiveIntegerField(null=True)

    objects = ScopedManager()

    class Meta:
        db_table = "vault_health_result"
        indexes: ClassVar = [
            models.Index(fields=("credential", "-requested_at"), name="vault_result_newest"),
            models.Index(
                fields=("sent_at",),
                name="vault_result_unfinished",
                condition=models.Q(finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"health result {self.pk}"
