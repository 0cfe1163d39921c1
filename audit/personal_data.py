"""What the journal, its rules and its alerts hold about people, and what an erasure does to it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.events import audit_event_types
from audit.models import Alert, AlertDelivery, DetectionAttempt, OwnHistory, Subject
from audit.queries import own_history
from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)

_NONE: Final = FieldClass.NONE
_LINK: Final = FieldClass.LINK
_BEHAVIOUR: Final = FieldClass.BEHAVIOUR
_BASIS: Final = "legitimate interest (security of processing), art. 6(1)(f) and 32"
_SEALED: Final = gettext_lazy(
    "Entries stay, personal parts become unreadable: their keys are destroyed"
)
_HISTORY: Final = gettext_lazy("Security history")
_ATTEMPTS: Final = gettext_lazy("Tries to sign in")
_ALERTS: Final = gettext_lazy("Alerts about your account")

_ENTRY_FIELDS: Final[Mapping[str, FieldClass]] = {
    **dict.fromkeys(
        (
            "event_id",
            "seq",
            "epoch",
            "db_user",
            "occurred_at",
            "writer",
            "type",
            "outcome",
            "severity",
            "retention",
            "schema_ver",
            "cc",
            "asn",
        ),
        _NONE,
    ),
    **dict.fromkeys(
        (
            "organisation_id",
            "actor_id",
            "on_behalf_of",
            "credential_id",
            "target_id",
            "request_id",
            "session_tag",
        ),
        _LINK,
    ),
    "actor_type": _NONE,
    "target_type": _NONE,
    "net": _BEHAVIOUR,
    "body": _BEHAVIOUR,
    "actor_sealed": FieldClass.CONTACT,
    "subject_sealed": FieldClass.CONTENT,
}


class Entries:
    """Entries of the person: exported in words; erased by destroying their keys."""

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the person's security history."""
        rows = tuple(_history(subject))
        return [Section(label="audit.entry", title=str(_HISTORY), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the entries whose personal parts become unreadable."""
        with own_history(subject.subject_id) as entries:
            count = entries.count()
        return ErasureCount(
            label="audit.entry", shredded=count, kept=count, reason=str(_SEALED) if count else ""
        )

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Change nothing: the keys are destroyed once, after all sources."""
        return self.preview(subject)


class Subjects:
    """The mapping from subject id to person: gone at once."""

    def export(self, _subject: DataSubject) -> Iterable[Section]:
        """Return nothing: two ids, which stand in the account's own section."""
        return []

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the mapping."""
        found = Subject.objects.filter(pk=subject.subject_id).count()
        return ErasureCount(label="audit.subject", deleted=found)

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Delete the mapping: the subject id leads nowhere from now on."""
        count, _models = Subject.objects.filter(pk=subject.subject_id).delete()
        return ErasureCount(label="audit.subject", deleted=count)


class Attempts:
    """Tries to sign in, kept 30 days for the rules."""

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return time, network and result of each try."""
        rows: tuple[Mapping[str, object], ...] = tuple(
            {
                "occurred_at": attempt.occurred_at.isoformat(),
                "network": attempt.net,
                "browser": attempt.browser,
                "succeeded": attempt.succeeded,
            }
            for attempt in self._of(subject).order_by("occurred_at")
        )
        return [Section(label="audit.attempt", title=str(_ATTEMPTS), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the tries."""
        return ErasureCount(label="audit.attempt", deleted=self._of(subject).count())

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Delete the tries."""
        count, _models = self._of(subject).delete()
        return ErasureCount(label="audit.attempt", deleted=count)

    def _of(self, subject: DataSubject) -> QuerySet[DetectionAttempt]:
        return DetectionAttempt.objects.filter(subject_id=subject.subject_id)


class Alerts:
    """Alerts about the person's account: kept as cases, by subject id only."""

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return time, rule and network of each alert."""
        rows: tuple[Mapping[str, object], ...] = tuple(
            {
                "raised_at": alert.raised_at.isoformat(),
                "rule": alert.rule,
                "network": alert.net,
                "times": alert.count,
            }
            for alert in Alert.objects.filter(subject_id=subject.subject_id).order_by("pk")
        )
        return [Section(label="audit.alert", title=str(_ALERTS), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count what stays as evidence of an attack."""
        kept = Alert.objects.filter(subject_id=subject.subject_id).count()
        reason = _("Evidence of an attack; the id in it leads to nobody") if kept else ""
        return ErasureCount(label="audit.alert", kept=kept, reason=reason)

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Stop mails that are still due; the case stays."""
        AlertDelivery.objects.filter(recipient=subject.subject_id, state="due").update(
            state="dead", last_error="erased"
        )
        return self.preview(subject)


def _history(subject: DataSubject) -> Iterator[Mapping[str, object]]:
    with own_history(subject.subject_id) as entries:
        for entry in entries.order_by("occurred_at", "seq").iterator(chunk_size=1000):
            yield _row(entry)


def _row(entry: OwnHistory) -> Mapping[str, object]:
    event_type = audit_event_types.find(entry.type)
    return {
        "occurred_at": entry.occurred_at.isoformat(),
        "what": entry.type if event_type is None else str(event_type.sentence),
        "type": entry.type,
        "outcome": entry.outcome,
        "network": str(entry.net or ""),
        "by": entry.actor_type,
    }


def _source(label: str, model: str, fields: Mapping[str, FieldClass]) -> PersonalDataSource:
    return PersonalDataSource(label=label, model=model, fields=fields)


def _entries(label: str, model: str, handlers: Entries | None) -> PersonalDataSource:
    return PersonalDataSource(
        label=label,
        model=model,
        fields=_ENTRY_FIELDS,
        subjects=("actor_id", "on_behalf_of", "target_id"),
        purpose="security",
        basis=_BASIS,
        retention=gettext_lazy(
            "12 months (reads), 24 months (security), 10 years (contract); addresses 30 days"
        ),
        recipients=(gettext_lazy("operator's staff with the right to read the journal"),),
        handlers=handlers,
        title=_HISTORY,
    )


SOURCES: Final = (
    _entries("audit.entry", "audit.AuditEvent", Entries()),
    _entries("audit.own_history", "audit.OwnHistory", None),
    PersonalDataSource(
        label="audit.subject",
        model="audit.Subject",
        fields={"subject_id": _LINK, "kind": _NONE, "principal_id": _LINK},
        subjects=("subject_id",),
        purpose="security",
        basis=_BASIS,
        retention=gettext_lazy("until the account is erased"),
        handlers=Subjects(),
        title=gettext_lazy("The link between your account and its security history"),
    ),
    PersonalDataSource(
        label="audit.attempt",
        model="audit.DetectionAttempt",
        fields={
            "event_id": _LINK,
            "occurred_at": _BEHAVIOUR,
            "account": FieldClass.IDENTIFIER,
            "subject_id": _LINK,
            "net": _BEHAVIOUR,
            "asn": _NONE,
            "cc": _NONE,
            "succeeded": _BEHAVIOUR,
            "browser": _BEHAVIOUR,
        },
        subjects=("subject_id",),
        purpose="security",
        basis=_BASIS,
        retention=gettext_lazy("30 days, then deleted"),
        handlers=Attempts(),
        title=_ATTEMPTS,
    ),
    PersonalDataSource(
        label="audit.alert",
        model="audit.Alert",
        fields={
            **dict.fromkeys(("id", "rule", "severity", "state", "count", "facts"), _NONE),
            **dict.fromkeys(("first_at", "last_at", "raised_at", "closed_at", "verdict"), _NONE),
            **dict.fromkeys(("organisation_id", "subject_id", "assigned_to"), _LINK),
            **dict.fromkeys(("first_event_id", "last_event_id"), _LINK),
            "dedupe_key": FieldClass.IDENTIFIER,
            "net": _BEHAVIOUR,
            "closing_reason": FieldClass.CONTENT,
        },
        subjects=("subject_id",),
        purpose="security",
        basis=_BASIS,
        retention=gettext_lazy("24 months after the case was closed"),
        recipients=(gettext_lazy("the operator's alert channel"), gettext_lazy("the person")),
        handlers=Alerts(),
        title=_ALERTS,
    ),
    PersonalDataSource(
        label="audit.alert_channel",
        model="audit.AlertChannel",
        fields={
            **dict.fromkeys(("id", "kind", "name", "language", "lowest_severity"), _NONE),
            "enabled_at": _NONE,
            "organisation_id": _LINK,
            "destination_sealed": FieldClass.CONTACT,
        },
        purpose="security",
        basis=_BASIS,
        retention="until the addresses are changed",
        reasons={
            "destination_sealed": "addresses of functions, sealed; of no person of the portal"
        },
    ),
    PersonalDataSource(
        label="audit.alert_delivery",
        model="audit.AlertDelivery",
        fields={
            **dict.fromkeys(("id", "alert", "channel", "state", "attempts", "next_at"), _NONE),
            **dict.fromkeys(("enqueued_at", "lease_until", "last_error", "created_at"), _NONE),
            **dict.fromkeys(("idempotency_key", "sent_at"), _NONE),
            "recipient": _LINK,
        },
        subjects=("recipient",),
        purpose="security",
        basis=_BASIS,
        retention="with the alert",
    ),
    _source("audit.day_key", "audit.DayKey", {"day": _NONE, "destroyed_at": _NONE}),
    _source(
        "audit.cursor",
        "audit.Cursor",
        dict.fromkeys(
            (
                "reader",
                "epoch",
                "xid",
                "seq",
                "occurred_at",
                "moved_at",
                "failures",
                "last_error",
            ),
            _NONE,
        ),
    ),
    _source(
        "audit.dead_letter",
        "audit.DeadLetter",
        {
            **dict.fromkeys(("id", "reader", "refused_at", "error"), _NONE),
            "event_id": _LINK,
        },
    ),
)
