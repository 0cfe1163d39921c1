"""What records hold about people: who owns and sees them, and what stands in them.

Values belong to the organisation, which is their controller: a person's request reaches what is
tied to the person, that is ownership, shares and the person's own records.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from encryption.cells import cell
from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)
from foundation.tenancy import organisation_scope
from workspace.records.models import Record, RecordGrant, RecordGroupMember, RecordValue
from workspace.records.queries import column_of, kind_by_id, values_of
from workspace.records.types import KindSpec

_NONE = FieldClass.NONE
_LINK = FieldClass.LINK
_KEPT = _("Records belong to the organisation; they stay without the name of their owner")
_OTHER_PERSON = _("a contact of your organisation")
_RETENTION = _("until the organisation deletes the record or ends")


class OwnRecords:
    """Handlers of the records a person owns.

    What a record says about another person is that person's: an export names the role alone.
    """

    label = "records.record"
    title = _("Records you own")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the person's own records with their values."""
        rows: list[Mapping[str, object]] = []
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                rows.extend(_exported(subject.user_id))
        return [Section(label=self.label, title=str(self.title), rows=tuple(rows))]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the records that lose their owner's name."""
        kept = 0
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                kept += Record.objects.filter(owner_id=subject.user_id).count()
        return ErasureCount(label=self.label, kept=kept, reason=str(_KEPT) if kept else "")

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Take the person's name from the records."""
        kept = 0
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                kept += Record.objects.filter(owner_id=subject.user_id).update(owner=None)
        return ErasureCount(label=self.label, kept=kept, reason=str(_KEPT) if kept else "")


class Named:
    """Handlers of a table that names people for records: grants, or groups of confidential ones.

    Args:
        label: label of the source.
        title: heading of the section, translated when it is written.
        model: the table.
        since: column of the time.
    """

    def __init__(
        self,
        label: str,
        *,
        title: StrOrPromise,
        model: type[RecordGrant] | type[RecordGroupMember],
        since: str,
    ) -> None:
        self.label = label
        self.title = title
        self.model = model
        self.since = since

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return which records name the person."""
        rows: list[Mapping[str, object]] = []
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                own = self.model.objects.filter(user_id=subject.user_id)
                rows.extend(
                    {"record": str(record_id), self.since: since.isoformat()}
                    for record_id, since in own.values_list("record_id", self.since)
                )
        return [Section(label=self.label, title=str(self.title), rows=tuple(rows))]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the rows that go."""
        deleted = 0
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                deleted += self.model.objects.filter(user_id=subject.user_id).count()
        return ErasureCount(label=self.label, deleted=deleted)

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Delete the rows."""
        deleted = 0
        for organisation_id in subject.organisation_ids:
            with organisation_scope(organisation_id):
                deleted += self.model.objects.filter(user_id=subject.user_id).delete()[0]
        return ErasureCount(label=self.label, deleted=deleted)


SOURCES = (
    PersonalDataSource(
        label="records.kind",
        model="records.RecordKind",
        fields=dict.fromkeys(
            ("id", "code", "label", "title_field", "is_about_person", "position"), _NONE
        ),
        retention="shipped with the product",
        reasons={"label": "shipped text", "code": "shipped word", "title_field": "shipped word"},
    ),
    PersonalDataSource(
        label="records.kind_field",
        model="records.RecordKindField",
        fields=dict.fromkeys(
            (
                "id",
                "kind",
                "code",
                "label",
                "help_text",
                "value_type",
                "data_class",
                "purpose",
                "is_sealed",
                "is_searchable",
                "is_required",
                "max_length",
                "position",
            ),
            _NONE,
        ),
        retention="shipped with the product",
        reasons={"label": "shipped text", "help_text": "shipped text", "code": "shipped word"},
    ),
    PersonalDataSource(
        label="records.record",
        model="records.Record",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "kind": _NONE,
            "owner": _LINK,
            "owner_client_id": _LINK,
            "subject_id": _LINK,
            "visibility": _NONE,
            "state": _NONE,
            "version": _NONE,
            "created_at": FieldClass.BEHAVIOUR,
            "updated_at": FieldClass.BEHAVIOUR,
        },
        subjects=("owner", "subject_id"),
        retention=_RETENTION,
        handlers=OwnRecords(),
        title=OwnRecords.title,
    ),
    PersonalDataSource(
        label="records.value",
        model="records.RecordValue",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "record": _LINK,
            "field": _NONE,
            "subject_id": _LINK,
            "organisation_text": FieldClass.CONTENT,
            "identifier": FieldClass.FINANCIAL,
            "personal_text": FieldClass.CONTACT,
            "plain_text": _NONE,
        },
        subjects=("subject_id", "record__owner"),
        retention=_RETENTION,
        reasons={"plain_text": "country codes alone", "field": "shipped word"},
    ),
    PersonalDataSource(
        label="records.version",
        model="records.RecordVersion",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "record": _LINK,
            "number": _NONE,
            "changed_at": FieldClass.BEHAVIOUR,
            "actor_kind": _NONE,
            "actor_id": _LINK,
            "fields": _NONE,
            "visibility": _NONE,
            "subject_id": _LINK,
            "organisation_values": FieldClass.CONTENT,
            "personal_values": FieldClass.CONTACT,
        },
        subjects=("subject_id", "actor_id"),
        retention=_RETENTION,
        reasons={"fields": "shipped words", "actor_kind": "type of actor"},
    ),
    PersonalDataSource(
        label="records.grant",
        model="records.RecordGrant",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "record": _LINK,
            "user": _LINK,
            "ends_at": _NONE,
            "granted_at": FieldClass.BEHAVIOUR,
        },
        subjects=("user",),
        retention=_("until it ends or is taken back"),
        title=_("Records shared with you"),
        handlers=Named(
            "records.grant",
            title=_("Records shared with you"),
            model=RecordGrant,
            since="granted_at",
        ),
    ),
    PersonalDataSource(
        label="records.group_member",
        model="records.RecordGroupMember",
        fields={
            "id": _NONE,
            "organisation": _LINK,
            "record": _LINK,
            "user": _LINK,
            "added_at": FieldClass.BEHAVIOUR,
        },
        subjects=("user",),
        retention=_("until the group is changed"),
        title=_("Confidential records you may see"),
        handlers=Named(
            "records.group_member",
            title=_("Confidential records you may see"),
            model=RecordGroupMember,
            since="added_at",
        ),
    ),
)


def _exported(user_id: UUID) -> Iterable[Mapping[str, object]]:
    records = list(Record.objects.filter(owner_id=user_id))
    values = values_of(record.pk for record in records)
    for record in records:
        kind = kind_by_id(record.kind_id)
        yield {
            "id": str(record.pk),
            "kind": kind.code,
            "visibility": record.visibility,
            "created_at": record.created_at.isoformat(),
            "updated_at": record.updated_at.isoformat(),
            **_texts(kind, record.pk, values),
        }


def _texts(
    kind: KindSpec, record_id: UUID, values: Mapping[UUID, Mapping[str, RecordValue]]
) -> dict[str, object]:
    present = values.get(record_id, {})
    return {
        field.code: _text(present[field.code], column_of(kind, field))
        for field in kind.fields
        if field.code in present
    }


def _text(value: RecordValue, column: str) -> object:
    if column == "personal_text":
        return str(_OTHER_PERSON)
    found = cell(value, column)
    return found.value if found.fault is None else found.text
