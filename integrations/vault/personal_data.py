"""What the vault holds about people: who is in charge and who used what."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy as _

from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)
from foundation.tenancy import organisation_scope
from integrations.vault.models import Credential

_NONE = FieldClass.NONE
_LINK = FieldClass.LINK
_KEPT = _("Credentials belong to the organisation; they stay without the name of their owner")


class Ownership:
    """Handlers of the credentials a person is in charge of."""

    label = "vault.credential"
    title = _("Credentials you are in charge of")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the names of the credentials; secrets are in no export."""
        rows: list[Mapping[str, object]] = []
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                own = Credential.objects.filter(owner_id=subject.user_id)
                rows.extend(
                    {"name": row.name, "purpose": row.purpose, "state": row.state} for row in own
                )
        return [Section(label=self.label, title=str(self.title), rows=tuple(rows))]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the credentials that lose their owner's name."""
        kept = 0
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                kept += Credential.objects.filter(owner_id=subject.user_id).count()
        return ErasureCount(label=self.label, kept=kept, reason=str(_KEPT) if kept else "")

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Take the person's name from the credentials."""
        kept = 0
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                own = Credential.objects.filter(owner_id=subject.user_id)
                kept += own.update(owner=None)
        return ErasureCount(label=self.label, kept=kept, reason=str(_KEPT) if kept else "")


SOURCES = (
    PersonalDataSource(
        label="vault.credential",
        model="vault.Credential",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "name": _NONE,
            "type": _NONE,
            "template": _NONE,
            "allowed_hosts": _NONE,
            "probe_url": _NONE,
            "purpose": _NONE,
            "policy": _NONE,
            "owner": _LINK,
            "state": _NONE,
            "version": _NONE,
            "created_at": FieldClass.BEHAVIOUR,
            "last_used_at": FieldClass.BEHAVIOUR,
            "last_used_for": _NONE,
            "last_used_by": _LINK,
        },
        subjects=("owner", "last_used_by"),
        retention=_("until the credential is destroyed and its organisation ends"),
        handlers=Ownership(),
        title=Ownership.title,
        reasons={
            "name": "name of a system",
            "purpose": "purpose of a system",
            "template": "shipped word",
            "probe_url": "address of a system",
            "last_used_for": "name of a task",
        },
    ),
    PersonalDataSource(
        label="vault.credential_version",
        model="vault.CredentialVersion",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "credential": _LINK,
            "number": _NONE,
            "payload": FieldClass.SECRET,
            "fingerprint": FieldClass.SECRET,
            "created_at": _NONE,
            "not_before": _NONE,
            "expires_at": _NONE,
            "absolute_end_at": _NONE,
            "state": _NONE,
        },
        retention="until the credential is destroyed; its data key goes at once",
    ),
    PersonalDataSource(
        label="vault.lease",
        model="vault.Lease",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "credential": _LINK,
            "version_number": _NONE,
            "holder_kind": _NONE,
            "holder_id": _LINK,
            "holder": _NONE,
            "purpose": _NONE,
            "started_at": FieldClass.BEHAVIOUR,
            "until": _NONE,
            "ended_at": FieldClass.BEHAVIOUR,
            "end_reason": _NONE,
        },
        subjects=("holder_id",),
        retention="24 months, as evidence of use",
        reasons={"holder": "name of a task", "purpose": "name of a task"},
    ),
    PersonalDataSource(
        label="vault.health_result",
        model="vault.HealthResult",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "credential": _LINK,
            "state": _NONE,
            "requested_by": _LINK,
            "requested_at": FieldClass.BEHAVIOUR,
            "sent_at": _NONE,
            "claimed_until": _NONE,
            "attempts": _NONE,
            "finished_at": _NONE,
            "code": _NONE,
            "status": _NONE,
            "elapsed_ms": _NONE,
        },
        subjects=("requested_by",),
        retention="24 months",
        reasons={"code": "code of a failure"},
    ),
)
