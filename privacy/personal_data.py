"""What privacy itself holds about people: ids and times of their requests."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy

from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)
from privacy.models import SubjectRequest
from privacy.models.subject_request import OPEN_STATES, RequestKind
from privacy.services import exports

_NONE = FieldClass.NONE
_LINK = FieldClass.LINK
_KEPT = gettext_lazy(
    "Evidence that the request was answered (GDPR art. 5(2)); three years, ids only"
)
_THREE_YEARS = gettext_lazy("three years after the request closed")


class Requests:
    """Handlers of the person's requests."""

    label = "privacy.request"
    title = gettext_lazy("Requests about your data")

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
        return [Section(label=self.label, title=str(self.title), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count what stays, with the request for the erasure itself."""
        own = SubjectRequest.objects.filter(user_id=subject.user_id)
        is_asked = own.filter(kind=RequestKind.ERASURE, state__in=OPEN_STATES).exists()
        kept = own.count() + (0 if is_asked else 1)
        return ErasureCount(label=self.label, kept=kept, reason=str(_KEPT))

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Keep the evidence; ids lead nowhere once the account is erased."""
        return self.preview(subject)


class Archives:
    """Handlers of the copies a person asked for: whole copies of the data, so they go first."""

    label = "privacy.archive"
    title = gettext_lazy("Copies of your data that you have not fetched")

    def export(self, subject: DataSubject) -> Iterable[Section]:  # noqa: ARG002
        """Return nothing: a copy of a copy says nothing new."""
        return ()

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the copies."""
        return ErasureCount(label=self.label, deleted=exports.count_held(subject))

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Delete the copies with their keys, and make no further one."""
        return ErasureCount(label=self.label, deleted=exports.discard(subject))


def _plain(label: str, model: str, *names: str) -> PersonalDataSource:
    return PersonalDataSource(
        label=label,
        model=model,
        fields=dict.fromkeys(("id", *names), _NONE),
        retention=_THREE_YEARS,
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
            "enqueued_at": _NONE,
            "lease_until": _NONE,
            "done_steps": _NONE,
            "total_steps": _NONE,
        },
        subjects=("subject_id",),
        purpose="legal_duty",
        basis="legal obligation, art. 6(1)(c)",
        retention=_THREE_YEARS,
        handlers=Requests(),
        title=Requests.title,
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
            "told_at": _NONE,
            "key_destroyed_at": _NONE,
        },
        subjects=("request.subject_id",),
        purpose="legal_duty",
        retention=gettext_lazy("until fetched, at most seven days; then its key is destroyed"),
        handlers=Archives(),
        title=Archives.title,
    ),
    _plain(
        "privacy.erasure_plan",
        "privacy.ErasurePlan",
        "request",
        "state",
        "runs_at",
        "told_at",
        "enqueued_at",
        "lease_until",
        "erased_at",
        "key_epoch",
        "completed_at",
        "receipt_digest",
    ),
    _plain(
        "privacy.erasure_item",
        "privacy.ErasureItem",
        "plan",
        "label",
        "title",
        "deleted",
        "shredded",
        "kept",
        "reason",
        "done_at",
    ),
    _plain("privacy.receipt", "privacy.Receipt", "plan", "body", "signature", "key_id", "made_at"),
    _plain("privacy.purpose", "privacy.Purpose", "code", "basis", "description", "is_optional"),
)
