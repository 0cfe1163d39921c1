"""Change who sees a record; it acts at once, in lists, details and the API."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit import services as audit
from foundation import clock
from foundation.errors import Denied, FieldError
from foundation.principals import Principal
from workspace.records.audit_events import RECORD_SHARED
from workspace.records.errors import RecordNotFound, StaleVersion, ValuesInvalid
from workspace.records.models import Record, RecordGrant, RecordGroupMember, RecordVersion
from workspace.records.permissions import SHARE
from workspace.records.queries import colleagues, is_owner, may_share, visible_to
from workspace.records.types import Visibility


@transaction.atomic
def change_visibility(
    record_id: UUID,
    visibility: Visibility,
    *,
    principal: Principal,
    expected_version: int,
    people: Iterable[UUID] = (),
    ends_at: datetime | None = None,
) -> Record:
    """Set the mode of a record and, for ``chosen`` and ``confidential``, the people named.

    The page asks for a step-up before it widens to the whole organisation.

    Args:
        record_id: the record.
        visibility: new mode.
        principal: its owner, or a key user where it is not confidential.
        expected_version: version the change starts from.
        people: user ids of colleagues; whoever is not among them loses sight.
        ends_at: end of the grants of mode ``chosen``.

    Raises:
        RecordNotFound: there is none, or not for this principal.
        Denied: the principal may not share it.
        StaleVersion: the record was changed meanwhile.
        ValuesInvalid: somebody is no colleague, or nobody is named.
    """
    record = visible_to(principal).filter(pk=record_id).select_for_update(of=("self",)).first()
    if record is None:
        raise RecordNotFound
    if not principal.may(SHARE.code) or not may_share(record, principal):
        raise Denied(_("Only the owner or a key user may change who sees this record."))
    if record.version != expected_version:
        raise StaleVersion(present_version=record.version)
    named = _named(visibility, set(people), ends_at)
    if visibility == Visibility.CONFIDENTIAL and principal.id and not is_owner(record, principal):
        named.add(principal.id)  # or who makes it confidential would lose it at once
    before = audit.snapshot(record)
    record.visibility = visibility
    record.version += 1
    record.updated_at = clock.now()
    record.save(update_fields=["visibility", "version", "updated_at"])
    _name(record, named, ends_at)
    _keep_version(record, principal)
    audit.record(
        RECORD_SHARED,
        principal=principal,
        target=record,
        changes={"visibility": (before.visibility, record.visibility)},
        details={"people": len(named)},
    )
    return record


def _named(visibility: Visibility, people: set[UUID], ends_at: datetime | None) -> set[UUID]:
    if visibility not in {Visibility.CHOSEN, Visibility.CONFIDENTIAL}:
        return set()
    errors = []
    if people - set(colleagues()):
        errors.append(
            FieldError("/people", "not_a_colleague", _("Choose people of your organisation."))
        )
    if visibility == Visibility.CHOSEN and not people:
        errors.append(FieldError("/people", "required", _("Choose at least one colleague.")))
    if ends_at is not None and ends_at <= clock.now():
        errors.append(FieldError("/ends_on", "past", _("Choose a day that is still to come.")))
    if errors:
        raise ValuesInvalid(_("Some values are not valid."), errors=tuple(errors))
    return people


def _name(record: Record, people: set[UUID], ends_at: datetime | None) -> None:
    RecordGrant.objects.filter(record=record).delete()
    RecordGroupMember.objects.filter(record=record).delete()
    place = {"organisation_id": record.organisation_id, "record_id": record.pk}
    if record.visibility == Visibility.CHOSEN:
        RecordGrant.objects.bulk_create(
            RecordGrant(user_id=user_id, ends_at=ends_at, **place) for user_id in sorted(people)
        )
    if record.visibility == Visibility.CONFIDENTIAL:
        RecordGroupMember.objects.bulk_create(
            RecordGroupMember(user_id=user_id, **place) for user_id in sorted(people)
        )


def _keep_version(record: Record, principal: Principal) -> None:
    RecordVersion(
        organisation_id=record.organisation_id,
        record_id=record.pk,
        number=record.version,
        changed_at=record.updated_at,
        actor_kind=principal.kind.value,
        actor_id=principal.subject_id or principal.id,
        fields=[],
        visibility=record.visibility,
        subject_id=record.subject_id,
    ).save(force_insert=True)
