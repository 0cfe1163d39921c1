"""Audited reads: one record, a list, one protected value, the history."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from encryption.cells import cell, light_cell
from foundation.errors import Denied
from foundation.principals import ActorType, Principal
from workspace.records import values as forms_of_values
from workspace.records.audit_events import RECORD_LISTED, RECORD_READ, RECORD_REVEALED
from workspace.records.errors import RecordNotFound
from workspace.records.models import Record, RecordValue, RecordVersion
from workspace.records.permissions import REVEAL
from workspace.records.queries import (
    COLUMNS,
    LightValue,
    column_of,
    is_owner,
    kind_by_id,
    kinds,
    light_values_of,
    may_read,
    records_with_iban,
    values_of,
    visible_record,
    visible_to,
)
from workspace.records.types import (
    FieldSpec,
    FieldView,
    KindSpec,
    RecordFilter,
    RecordRow,
    RecordState,
    RecordView,
    VersionRow,
    Visibility,
)

PURPOSE = "operation"
MAX_IDS = 100

_PLACES = {column: place for place, column in enumerate(COLUMNS)}


def read_record(record_id: UUID, *, principal: Principal, purpose: str = PURPOSE) -> RecordView:
    """Open a record for its reader and write down that it was read.

    Values of the classes secret and special stay hidden: see :func:`reveal_value`.

    Raises:
        RecordNotFound: there is none, or not for this principal.
    """
    record = visible_record(record_id, principal=principal)
    if not may_read(principal):
        raise RecordNotFound
    kind = kind_by_id(record.kind_id)
    with audit.reading(record, purpose, principal=principal, event_type=RECORD_READ):
        present = values_of([record.pk]).get(record.pk, {})
        fields = tuple(_field_view(kind, field, present) for field in kind.fields)
    return RecordView(
        id=record.pk,
        kind=kind,
        title=_title(kind, present),
        visibility=Visibility(record.visibility),
        state=RecordState(record.state),
        version=record.version,
        owner_id=record.owner_id,
        owner_client_id=record.owner_client_id,
        created_at=record.created_at,
        updated_at=record.updated_at,
        fields=fields,
    )


def list_records(*, principal: Principal, narrowed: RecordFilter) -> QuerySet[Record]:
    """Return the visible records that a filter leaves; nothing of them is opened yet.

    An unknown kind or mode, or a text that is no IBAN, leaves nothing.
    """
    if not may_read(principal):
        return Record.objects.none()
    records = visible_to(principal)
    if narrowed.iban:
        iban = forms_of_values.iban(narrowed.iban)
        if iban is None:
            return Record.objects.none()
        records = records_with_iban(iban, principal=principal)
    if narrowed.kind:
        known = {kind.code: kind.id for kind in kinds()}
        records = records.filter(kind_id=known.get(narrowed.kind))
    if narrowed.visibility:
        known_modes = [mode for mode in Visibility if mode.value == narrowed.visibility]
        records = records.filter(visibility__in=known_modes)
    if narrowed.owner == "me":
        records = records.filter(owner_id=principal.id)
    return records


def rows_of(
    records: Sequence[Record],
    *,
    principal: Principal,
    purpose: str = PURPOSE,
    is_lookup: bool = False,
) -> tuple[RecordRow, ...]:
    """Open the titles of one page of a list and write down that it was read.

    Args:
        records: rows of :func:`list_records`.
        principal: who reads.
        purpose: code of the purpose.
        is_lookup: whether the list was asked by an exact value.
    """
    _record_listing(
        [record.pk for record in records],
        principal=principal,
        purpose=purpose,
        is_lookup=is_lookup,
    )
    found = values_of(record.pk for record in records)
    return tuple(_row(record, found.get(record.pk, {}), principal) for record in records)


def shown_values(
    records: Iterable[Mapping[str, object]], *, principal: Principal, purpose: str = PURPOSE
) -> dict[UUID, dict[str, str]]:
    """Open the values of one page of an API list and write down that it was read.

    Args:
        records: rows of ``values()`` with ``id`` and ``kind_id``.
        principal: who reads.
        purpose: code of the purpose.
    """
    kind_of = {row["id"]: row["kind_id"] for row in records}
    ids = [key for key in kind_of if isinstance(key, UUID)]
    _record_listing(ids, principal=principal, purpose=purpose, is_lookup=False)
    found = light_values_of(ids)
    columns = {kind.id: _shown_columns(kind) for kind in kinds()}
    shown: dict[UUID, dict[str, str]] = {}
    for record_id in ids:
        kind_id = kind_of[record_id]
        wanted = columns[kind_id] if isinstance(kind_id, UUID) else {}
        shown[record_id] = _shown(wanted, found.get(record_id, {}))
    return shown


def reveal_value(record_id: UUID, field_code: str, *, principal: Principal, reason: str) -> str:
    """Open one protected value for its reader, for a reason that is written down.

    The page asks for a step-up before.

    Raises:
        RecordNotFound: no such record or value, or not for this principal.
        Denied: the principal may not reveal.
        ReasonMissing: no reason was given.
    """
    record = visible_record(record_id, principal=principal)
    if not principal.may(REVEAL.code):
        raise Denied(_("You do not have the right to reveal protected values."))
    kind = kind_by_id(record.kind_id)
    field = kind.field(field_code)
    value = values_of([record.pk]).get(record.pk, {}).get(field_code)
    if field is None or value is None or not field.is_hidden:
        raise RecordNotFound
    audit.record(
        RECORD_REVEALED,
        principal=principal,
        target=record,
        reason=reason,
        about=record.subject_id,
        details={"field": field.code},
    )
    text = getattr(value, column_of(kind, field))
    if not isinstance(text, str):
        raise RecordNotFound
    return text


def version_rows(record_id: UUID, *, principal: Principal) -> tuple[VersionRow, ...]:
    """Return the history of a record, newest first: who, when, which fields; no values.

    Raises:
        RecordNotFound: there is none, or not for this principal.
    """
    record = visible_record(record_id, principal=principal)
    versions = RecordVersion.objects.filter(record=record).order_by("-number")
    found = list(versions.defer("organisation_values", "personal_values")[:MAX_IDS])
    names = _names(version.actor_id for version in found)
    return tuple(
        VersionRow(
            number=version.number,
            changed_at=version.changed_at,
            actor=_actor(version, names),
            fields=tuple(version.fields),
            visibility=Visibility(version.visibility),
        )
        for version in found
    )


def _field_view(kind: KindSpec, field: FieldSpec, present: Mapping[str, RecordValue]) -> FieldView:
    value = present.get(field.code)
    column = column_of(kind, field)
    if value is None:
        return FieldView(spec=field, value=None, is_set=False)
    if field.is_hidden:
        is_set = value.__dict__.get(column) is not None
        return FieldView(spec=field, value=None, is_set=is_set, is_hidden=is_set)
    found = cell(value, column)
    text = found.value if isinstance(found.value, str) else None
    is_set = text is not None or found.fault is not None
    return FieldView(spec=field, value=text, is_set=is_set, fault=found.fault)


def _shown_columns(kind: KindSpec) -> dict[str, str]:
    """Return the columns of the fields that a list shows, in the order of the kind."""
    return {field.code: column_of(kind, field) for field in kind.fields if not field.is_hidden}


def _shown(columns: Mapping[str, str], present: Mapping[str, LightValue]) -> dict[str, str]:
    """Return the texts of one record; what is erased, unreadable or empty is left out."""
    texts: dict[str, str] = {}
    for code, column in columns.items():
        if code not in present:
            continue
        text = light_cell(RecordValue, column, present[code][_PLACES[column]]).value
        if isinstance(text, str):
            texts[code] = text
    return texts


def _title(kind: KindSpec, present: Mapping[str, RecordValue]) -> str:
    field = kind.field(kind.title_field)
    view = _field_view(kind, field, present) if field else None
    if view is not None and view.fault is not None:
        return str(view.fault.label)
    return (view.value if view else None) or _(kind.label)


def _row(record: Record, present: Mapping[str, RecordValue], principal: Principal) -> RecordRow:
    kind = kind_by_id(record.kind_id)
    return RecordRow(
        id=record.pk,
        kind_code=kind.code,
        title=_title(kind, present),
        visibility=Visibility(record.visibility),
        state=RecordState(record.state),
        version=record.version,
        is_own=is_owner(record, principal),
        updated_at=record.updated_at,
    )


def _record_listing(
    ids: Sequence[UUID], *, principal: Principal, purpose: str, is_lookup: bool
) -> None:
    audit.record(
        RECORD_LISTED,
        principal=principal,
        purpose=purpose,
        details={
            "count": len(ids),
            "ids": [str(record_id) for record_id in ids[:MAX_IDS]],
            "is_lookup": is_lookup,
        },
    )


def _names(subjects: Iterable[UUID | None]) -> dict[UUID, str]:
    wanted = {subject for subject in subjects if subject is not None}
    people = User.objects.filter(subject_id__in=wanted)
    return {user.subject_id: user.shown_name for user in people}


def _actor(version: RecordVersion, names: Mapping[UUID, str]) -> str:
    if version.actor_kind == ActorType.INTEGRATION:
        return _("A connected system")
    if version.actor_id is None:
        return _("Gatehouse")
    return names.get(version.actor_id, _("A former member"))
