"""What a principal may see of records, and the kinds there are.

``visible_to`` is the one place that knows the four modes; lists, details, counts and the API all
start from it and nothing filters afterwards (workspace.md 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from encryption.light import light_matches, light_rows
from foundation import clock
from foundation.principals import ActorType, Principal
from foundation.tenancy import required_organisation
from workspace.records.errors import KindUnknown, RecordNotFound
from workspace.records.models import (
    Record,
    RecordGrant,
    RecordGroupMember,
    RecordKind,
    RecordValue,
)
from workspace.records.permissions import READ, READ_ALL, WRITE
from workspace.records.types import (
    DataClass,
    FieldSpec,
    KindSpec,
    ValueType,
    Visibility,
)

READ_SCOPE = "records:read"
WRITE_SCOPE = "records:write"

COLUMNS = ("organisation_text", "identifier", "personal_text", "plain_text")
LightValue = Sequence[object]  # the columns of a value in the order of COLUMNS, not opened yet

_kinds: dict[UUID, KindSpec] = {}


def kinds() -> tuple[KindSpec, ...]:
    """Return all kinds in their order; kept by the process, as they change with releases only."""
    if not _kinds:
        found = RecordKind.objects.prefetch_related("fields").order_by("position", "code")
        _kinds.update({row.id: _spec(row) for row in found})
    return tuple(_kinds.values())


def kind_by_id(kind_id: UUID) -> KindSpec:
    """Return the kind of a record."""
    kinds()  # loads them once
    return _kinds[kind_id]


def kind_by_code(code: str) -> KindSpec:
    """Return a kind by the name the API and addresses use.

    Raises:
        KindUnknown: there is none of that name.
    """
    found = next((kind for kind in kinds() if kind.code == code), None)
    if found is None:
        raise KindUnknown("There is no kind of record of that name.")
    return found


def may_read(principal: Principal) -> bool:
    """Say whether a principal may look at records at all."""
    if principal.kind is ActorType.INTEGRATION:
        return principal.has_scope(READ_SCOPE)
    return principal.may(READ.code) or principal.may(READ_ALL.code)


def may_write(principal: Principal) -> bool:
    """Say whether a principal may create and change records."""
    if principal.kind is ActorType.INTEGRATION:
        return principal.has_scope(WRITE_SCOPE)
    return principal.may(WRITE.code)


def visible_to(principal: Principal) -> QuerySet[Record]:
    """Return the records of the open organisation that a principal may see.

    A person sees their own, those shared with them and, as a key user, all but confidential ones.
    A client sees what it made itself and what the whole organisation sees, nothing else.
    """
    records = Record.objects.all()
    if principal.organisation_id != required_organisation() or principal.id is None:
        return records.none()
    if principal.kind is ActorType.INTEGRATION:
        if not (may_read(principal) or may_write(principal)):
            return records.none()
        own = Q(owner_client_id=principal.id)
        return records.filter(own | Q(visibility=Visibility.ORGANISATION))
    if principal.kind is not ActorType.USER or not may_read(principal):
        return records.none()
    return records.filter(_seen_by_person(principal, principal.id))


def visible_record(record_id: UUID, *, principal: Principal) -> Record:
    """Return a record that a principal may see.

    Raises:
        RecordNotFound: there is none, or not for this principal; the two look alike.
    """
    found = visible_to(principal).filter(pk=record_id).first()
    if found is None:
        raise RecordNotFound
    return found


def is_owner(record: Record, principal: Principal) -> bool:
    """Say whether a principal made the record, or took it over."""
    if principal.kind is ActorType.INTEGRATION:
        return record.owner_client_id == principal.id
    return record.owner_id is not None and record.owner_id == principal.id


def may_share(record: Record, principal: Principal) -> bool:
    """Say whether a principal may change who sees a record it sees: its owner or a key user."""
    if principal.kind is not ActorType.USER:
        return False
    is_covered = record.visibility != Visibility.CONFIDENTIAL and principal.may(READ_ALL.code)
    return is_owner(record, principal) or is_covered


def values_of(records: Iterable[UUID]) -> dict[UUID, dict[str, RecordValue]]:
    """Return the values of records by record and field; their keys are loaded in one query."""
    found: dict[UUID, dict[str, RecordValue]] = {}
    for value in RecordValue.objects.filter(record_id__in=list(records)):
        found.setdefault(value.record_id, {})[value.field] = value
    return found


def light_values_of(records: Iterable[UUID]) -> dict[UUID, dict[str, LightValue]]:
    """Return the values of records by record and field for a list, without objects."""
    rows = light_rows(
        RecordValue, "record_id", "field", *COLUMNS, column="record_id", among=records
    )
    found: dict[UUID, dict[str, LightValue]] = {}
    for record_id, field, *columns in rows:
        found.setdefault(cast("UUID", record_id), {})[cast("str", field)] = columns
    return found


def records_with_iban(iban: str, *, principal: Principal) -> QuerySet[Record]:
    """Return the visible records that hold an IBAN, found by its blind index."""
    found = light_matches(RecordValue, "record_id", identifier=iban)
    holders = [cast("UUID", record_id) for (record_id,) in found]
    return visible_to(principal).filter(pk__in=holders)


def colleagues() -> Mapping[UUID, User]:
    """Return the people who are members of the open organisation now, by user id."""
    now = clock.now()
    members = Membership.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=now),
        organisation_id=required_organisation(),
        valid_from__lte=now,
    )
    people = User.objects.filter(pk__in=members.values("user_id"), is_active=True)
    return {user.pk: user for user in people}


def owner_name(user_id: UUID | None, *, client_id: UUID | None) -> str:
    """Return how pages name the owner of a record."""
    if client_id is not None:
        return _("A connected system")
    user = User.objects.filter(pk=user_id).first() if user_id else None
    return user.shown_name if user else _("A former member")


def people_of(record: Record) -> tuple[UUID, ...]:
    """Return the users named for a record: its group if confidential, else its grants."""
    named = (
        RecordGroupMember.objects.filter(record=record)
        if record.visibility == Visibility.CONFIDENTIAL
        else RecordGrant.objects.filter(record=record)
    )
    return tuple(named.values_list("user_id", flat=True))


def column_of(kind: KindSpec, field: FieldSpec) -> str:
    """Return the column of :class:`RecordValue` that holds a field's value."""
    if not field.is_sealed:
        return "plain_text"
    if kind.seals_to_person(field):
        return "personal_text"
    return "identifier" if field.value_type == ValueType.IBAN else "organisation_text"


def _seen_by_person(principal: Principal, user_id: UUID) -> Q:
    now = clock.now()
    granted = RecordGrant.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now),
        record_id=OuterRef("pk"),
        user_id=user_id,
    )
    grouped = RecordGroupMember.objects.filter(record_id=OuterRef("pk"), user_id=user_id)
    seen = (
        Q(owner_id=user_id)
        | Q(visibility=Visibility.ORGANISATION)
        | (Q(visibility=Visibility.CHOSEN) & Q(Exists(granted)))
        | (Q(visibility=Visibility.CONFIDENTIAL) & Q(Exists(grouped)))
    )
    if principal.may(READ_ALL.code):
        seen |= ~Q(visibility=Visibility.CONFIDENTIAL)
    return seen


def _spec(row: RecordKind) -> KindSpec:
    return KindSpec(
        id=row.id,
        code=row.code,
        label=row.label,
        title_field=row.title_field,
        is_about_person=row.is_about_person,
        fields=tuple(
            FieldSpec(
                code=field.code,
                label=field.label,
                help_text=field.help_text,
                value_type=ValueType(field.value_type),
                data_class=DataClass(field.data_class),
                purpose=field.purpose,
                is_sealed=field.is_sealed,
                is_searchable=field.is_searchable,
                is_required=field.is_required,
                max_length=field.max_length,
            )
            for field in row.fields.all()
        ),
    )
