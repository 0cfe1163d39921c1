"""Entries and alerts as somebody may see them. Entries are read by alias ``journal_read`` alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Q, QuerySet

from audit.models import Alert, AuditEvent, OwnHistory
from audit.models.entries import READ_ALIAS
from foundation.errors import NotFound
from foundation.principals import Principal

SUBJECT_SETTING = "gatehouse.subject"


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What the log page is narrowed to; None and empty narrow nothing."""

    type: str = ""
    outcome: str = ""
    actor: UUID | None = None
    target: str = ""
    net: str = ""
    request: UUID | None = None
    credential: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def entries_for(principal: Principal, narrowed: LogFilter | None = None) -> QuerySet[AuditEvent]:
    """Return what a principal may see of the journal: staff all, others their organisation."""
    entries = AuditEvent.objects.all()
    if not principal.is_staff:
        entries = entries.filter(organisation_id=principal.organisation_id)
        if principal.organisation_id is None:
            entries = entries.none()
    return entries if narrowed is None else entries.filter(_condition(narrowed))


def entry_for(principal: Principal, event_id: UUID) -> AuditEvent:
    """Return one entry that a principal may see.

    Raises:
        NotFound: there is none, or not for this principal.
    """
    entry = entries_for(principal).filter(event_id=event_id).first()
    if entry is None:
        raise NotFound
    return entry


@contextmanager
def own_history(subject_id: UUID) -> Iterator[QuerySet[OwnHistory]]:
    """Give one person's entries; the database filters, and shows none without its setting.

    The rows must be read inside the block.
    """
    with transaction.atomic(using=READ_ALIAS):
        _tell_subject(str(subject_id))
        try:
            yield OwnHistory.objects.all()
        finally:
            _tell_subject("")


def alerts_for(principal: Principal) -> QuerySet[Alert]:
    """Return the alerts a principal may see: staff all, others their organisation's."""
    if principal.is_staff:
        return Alert.objects.all()
    if principal.organisation_id is None:
        return Alert.objects.none()
    return Alert.objects.filter(organisation_id=principal.organisation_id)


def alert_for(principal: Principal, alert_id: UUID) -> Alert:
    """Return one alert that a principal may see.

    Raises:
        NotFound: there is none, or not for this principal.
    """
    alert = alerts_for(principal).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound
    return alert


def _tell_subject(subject: str) -> None:
    with connections[READ_ALIAS].cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SUBJECT_SETTING, subject])


def _condition(narrowed: LogFilter) -> Q:
    exact = {
        "outcome": narrowed.outcome,
        "actor_id": narrowed.actor,
        "target_id": narrowed.target,
        "net": narrowed.net,
        "request_id": narrowed.request,
        "credential_id": narrowed.credential,
        "occurred_at__gte": narrowed.since,
        "occurred_at__lt": narrowed.until,
        "type__startswith": narrowed.type,
    }
    return Q(**{name: value for name, value in exact.items() if value})
