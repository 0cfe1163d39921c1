"""Create and change records: read the values strictly, keep versions, write the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organisation
from audit import services as audit
from audit.types import Change
from encryption.cells import cell
from foundation import clock
from foundation.errors import Denied, FieldError
from foundation.identifiers import uuid7
from foundation.principals import ActorType, Principal
from foundation.tenancy import required_organisation
from workspace.records import values as reading
from workspace.records.audit_events import RECORD_CHANGED, RECORD_CREATED
from workspace.records.errors import Difference, RecordNotFound, StaleVersion, ValuesInvalid
from workspace.records.models import Record, RecordValue, RecordVersion
from workspace.records.queries import (
    column_of,
    kind_by_code,
    kind_by_id,
    may_write,
    values_of,
    visible_to,
)
from workspace.records.types import KindSpec, RecordState, Values, Visibility


@dataclass(frozen=True, slots=True)
class Saved:
    """A record after a write: what an answer may hold.

    Attributes:
        changed: codes of the fields that were written; empty where nothing differed.
    """

    id: UUID
    version: int
    state: RecordState
    visibility: Visibility
    changed: tuple[str, ...]


@transaction.atomic
def create_record(
    kind_code: str,
    values: Values,
    *,
    principal: Principal,
    visibility: Visibility | None = None,
) -> Saved:
    """Create a record in the open organisation; who creates it owns it.

    Args:
        kind_code: name of the kind.
        values: texts by field code.
        principal: a person or a partner client.
        visibility: mode; by default the organisation's own default.

    Raises:
        Denied: the principal may not write records.
        KindUnknown: there is no such kind.
        ValuesInvalid: a value is wrong, unknown or missing.
    """
    _require_write(principal)
    kind = kind_by_code(kind_code)
    read = _read(kind, values)
    _refuse(reading.missing(kind, read))
    record = Record(
        organisation_id=required_organisation(),
        kind_id=kind.id,
        subject_id=uuid7() if kind.is_about_person else None,
        visibility=visibility or _default_visibility(),
    )
    if principal.kind is ActorType.INTEGRATION:
        record.owner_client_id = principal.id
    else:
        record.owner_id = principal.id
    record.save(force_insert=True)
    changes = _write(record, kind, read, present={})
    _keep_version(record, kind, read, principal=principal)
    audit.record(
        RECORD_CREATED,
        principal=principal,
        target=record,
        changes=changes,
        about=record.subject_id,
        details={"kind": kind.code, "visibility": record.visibility},
    )
    return _saved(record, changes)


@transaction.atomic
def change_record(
    record_id: UUID, values: Values, *, principal: Principal, expected_version: int
) -> Saved:
    """Change values of a record that the principal sees.

    Args:
        record_id: the record.
        values: texts by field code; an empty text takes a value away, others stay.
        principal: a person or a partner client.
        expected_version: version the change starts from.

    Raises:
        RecordNotFound: there is none, or not for this principal.
        Denied: the principal may not write records.
        StaleVersion: the record was changed meanwhile; both values are named.
        ValuesInvalid: a value is wrong, unknown or missing.
    """
    record = visible_to(principal).filter(pk=record_id).select_for_update(of=("self",)).first()
    if record is None:
        raise RecordNotFound
    _require_write(principal)
    kind = kind_by_id(record.kind_id)
    read = _read(kind, values)
    present = values_of([record.pk]).get(record.pk, {})
    texts = {field.code: _text(kind, field.code, present) for field in kind.fields}
    changed = {code: text for code, text in read.items() if text != (texts.get(code) or "")}
    if record.version != expected_version:
        raise StaleVersion(
            present_version=record.version, differences=_differences(kind, changed, texts)
        )
    _refuse(reading.missing(kind, {**_standing(texts), **read}))
    if not changed:
        return _saved(record, {})
    return _changed(record, kind, changed, present, principal=principal)


def _changed(
    record: Record,
    kind: KindSpec,
    changed: Mapping[str, str],
    present: Mapping[str, RecordValue],
    *,
    principal: Principal,
) -> Saved:
    record.version += 1
    record.updated_at = clock.now()
    record.save(update_fields=["version", "updated_at"])
    changes = _write(record, kind, changed, present)
    _keep_version(record, kind, changed, principal=principal)
    audit.record(
        RECORD_CHANGED,
        principal=principal,
        target=record,
        changes=changes,
        about=record.subject_id,
        details={"version": record.version},
    )
    return _saved(record, changes)


def _require_write(principal: Principal) -> None:
    if not may_write(principal) or principal.organisation_id != required_organisation():
        raise Denied(_("You do not have the right to change records."), code="records.no_write")


def _read(kind: KindSpec, values: Values) -> dict[str, str]:
    read, errors = reading.read(kind, values)
    _refuse(errors)
    return read


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise ValuesInvalid(_("Some values are not valid."), errors=tuple(errors))


def _default_visibility() -> Visibility:
    organisation = Organisation.objects.only("sharing_default").get(pk=required_organisation())
    return Visibility(organisation.sharing_default)


def _text(kind: KindSpec, code: str, present: Mapping[str, RecordValue]) -> str | None:
    """Return the present text of a field; None where there is none, or none that opens."""
    field, value = kind.field(code), present.get(code)
    if field is None or value is None:
        return None
    text = cell(value, column_of(kind, field)).value
    return text if isinstance(text, str) else None


def _standing(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {code: text for code, text in texts.items() if text}


def _differences(
    kind: KindSpec, wanted: Mapping[str, str], texts: Mapping[str, str | None]
) -> tuple[Difference, ...]:
    return tuple(
        Difference(code=field.code, yours=wanted[field.code], present=texts.get(field.code) or "")
        for field in kind.fields
        if field.code in wanted and not field.is_hidden
    )


def _write(
    record: Record,
    kind: KindSpec,
    wanted: Mapping[str, str],
    present: Mapping[str, RecordValue],
) -> dict[str, Change]:
    """Write values into the columns of their classes and return the changes for the journal."""
    changes: dict[str, Change] = {}
    for field in kind.fields:
        if field.code not in wanted or not (wanted[field.code] or field.code in present):
            continue
        column = column_of(kind, field)
        value = present.get(field.code)
        before = None if value is None else audit.snapshot(value)
        if value is None:
            value = RecordValue(
                organisation_id=record.organisation_id,
                record_id=record.pk,
                field=field.code,
                subject_id=record.subject_id,
            )
        setattr(value, column, wanted[field.code] or None)
        can_compare = before is None or cell(before, column).fault is None
        changes[field.code] = (
            audit.diff(before, value)[column]
            if can_compare and not field.is_hidden
            else Change(clear={"changed": True})
        )
        if before is None:
            value.save(force_insert=True)
        else:
            value.save(update_fields=[column])
    return changes


def _keep_version(record: Record, kind: KindSpec, changed: Values, *, principal: Principal) -> None:
    personal: dict[str, str] = {}
    shared: dict[str, str] = {}
    for field in kind.fields:
        if field.code in changed:
            target = personal if kind.seals_to_person(field) else shared
            target[field.code] = changed[field.code]
    RecordVersion(
        organisation_id=record.organisation_id,
        record_id=record.pk,
        number=record.version,
        changed_at=record.updated_at,
        actor_kind=principal.kind.value,
        actor_id=principal.subject_id or principal.id,
        fields=sorted([*personal, *shared]),
        visibility=record.visibility,
        subject_id=record.subject_id,
        organisation_values=shared or None,
        personal_values=personal or None,
    ).save(force_insert=True)


def _saved(record: Record, changes: Mapping[str, Change]) -> Saved:
    return Saved(
        id=record.pk,
        version=record.version,
        state=RecordState(record.state),
        visibility=Visibility(record.visibility),
        changed=tuple(changes),
    )
