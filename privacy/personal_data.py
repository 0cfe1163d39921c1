"""What privacy itself holds about people: ids and times of their requests."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)
from privacy.models import SubjectRequest

_NONE = FieldClass.NONE
_LINK = FieldClass.LINK
_KEPT = "Evidence that the request was answered (GDPR art. 5(2)); three years, ids only"


class Requests:
    """Handlers of the person's requests."""

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return kind, state and times of each request."""
        rows: tuple[Mapping[str, object], ...] = tuple(
            {
                "kind": item.kind,
                "state": item.state,
                "received_at": item.received_at.isoformat(),
                "due_on": item.due_on.isoformat(),
            }
            for item in SubjectRequest.objects.filter(user_id=subject.user_id)
        )
        return [Section(label="privacy.request", title=_("Requests about your data"), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count what stays."""
        kept = SubjectRequest.objects.filter(user_id=subject.user_id).count()
        return ErasureCount(label="privacy.request", kept=kept, reason=_KEPT if kept else "")

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Keep the evidence; ids lead nowhere once the account is erased."""
        return self.preview(subject)


def _plain(label: str, model: str, *names: str) -> PersonalDataSource:
    return PersonalDataSource(
        label=label,
        model=model,
        fields=dict.fromkeys(("id", *names), _NONE),
        retention="three years after the request closed",
    )


SOURCES = (
    PersonalDataSource(
        label="privacy.request",
        model="privacy.SubjectRequest",
        fields={
            "id": _NONE,
            "user_id": _LINK,
            "subject_id": _LINK,
            "kind": _NONE,
            "state": _NONE,
            "language": _NONE,
            "received_at": FieldClass.BEHAVIOUR,
            "due_on": _NONE,
            "closed_at": _NONE,
            "lease_until": _NONE,
            "done_steps": _NONE,
            "total_steps": _NONE,
        },
        subjects=("subject_id",),
        purpose="legal_duty",
        basis="legal obligation, art. 6(1)(c)",
        retention="three years after the request closed",
        handlers=Requests(),
    ),
    _plain("privacy.request_step", "privacy.RequestStep", "request", "state", "at"),
    PersonalDataSource(
        label="privacy.archive",
        model="privacy.Archive",
        fields={
            "id": _NONE,
            "request": _LINK,
            "content": FieldClass.CONTENT,
            "size_bytes": _NONE,
            "made_at": _NONE,
            "expires_at": _NONE,
            "fetched_at": FieldClass.BEHAVIOUR,
        },
        subjects=("request.subject_id",),
        purpose="legal_duty",
        retention="until fetched, at most seven days; then its key is destroyed",
        handlers=None,
    ),
    _plain(
        "privacy.erasure_plan",
        "privacy.ErasurePlan",
        "request",
        "state",
        "runs_at",
        "lease_until",
        "erased_at",
        "receipt_digest",
    ),
    _plain(
        "privacy.erasure_item",
        "privacy.ErasureItem",
        "plan",
        "label",
        "deleted",
        "shredded",
        "kept",
        "reason",
        "done_at",
    ),
    _plain("privacy.receipt", "privacy.Receipt", "plan", "body", "signature", "key_id", "made_at"),
    _plain("privacy.purpose", "privacy.Purpose", "code", "basis", "description", "is_optional"),
)
