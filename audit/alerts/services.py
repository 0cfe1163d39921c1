"""Alerts: raised once per case, taken in hand, closed with a verdict."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit import audit_events
from audit.alerts import outbox
from audit.anomaly.rules import Finding
from audit.models import Alert
from audit.models.alerts import AlertState, Verdict
from audit.services import Target, record
from foundation import clock
from foundation.errors import Conflict, Invalid
from foundation.principals import Principal, system

GROUPED: Final = timedelta(minutes=10)
DETECTION: Final = system("detection")


@dataclass(frozen=True, slots=True)
class Occasion:
    """The entry that made a rule fire.

    Attributes:
        event_id: its id.
        occurred_at: its time.
        organisation_id: whose entry it is.
        net: network it came from.
    """

    event_id: UUID
    occurred_at: datetime
    organisation_id: UUID | None = None
    net: str = ""


@transaction.atomic
def raise_alert(finding: Finding, *, occasion: Occasion, not_by: UUID | None = None) -> Alert:
    """Raise an alert with its deliveries, or count it on one of the last ten minutes.

    Everything is stored in the caller's transaction; the sweeper finds what is due.

    Args:
        finding: what a rule found.
        occasion: where and when.
        not_by: a channel that does not work, left out.
    """
    open_case = _open_case(finding, occasion)
    if open_case is not None:
        return _count(open_case, occasion, finding)
    alert = _create(finding, occasion)
    outbox.fill(alert, tell_person=finding.tell_person, not_by=not_by)
    record(
        audit_events.ALERT_RAISED,
        principal=DETECTION,
        target=target_of_alert(alert),
        organisation=alert.organisation_id,
        about=alert.subject_id,
        details={"rule": alert.rule, "severity": alert.severity, "dedupe": alert.dedupe_key},
    )
    return alert


@transaction.atomic
def take_in_hand(alert_id: UUID, *, principal: Principal) -> Alert:
    """Make oneself the person in charge of an alert.

    Raises:
        Conflict: it is closed.
    """
    alert = _locked(alert_id)
    alert.state = AlertState.ASSIGNED
    alert.assigned_to = principal.subject_id
    alert.save(update_fields=["state", "assigned_to"])
    record(
        audit_events.ALERT_ASSIGNED,
        principal=principal,
        target=target_of_alert(alert),
        details={"rule": alert.rule},
    )
    return alert


@transaction.atomic
def close(alert_id: UUID, *, verdict: str, reason: str, principal: Principal) -> Alert:
    """Close an alert with what it turned out to be.

    Raises:
        Invalid: there is no verdict.
        Conflict: it is closed already.
    """
    if verdict not in Verdict.values or not verdict:
        raise Invalid(_("Say what the alert turned out to be."), code="audit.verdict_missing")
    alert = _locked(alert_id)
    alert.state = AlertState.CLOSED
    alert.verdict = verdict
    alert.closing_reason = reason.strip()[:500]
    alert.closed_at = clock.now()
    record(
        audit_events.ALERT_CLOSED,
        principal=principal,
        target=target_of_alert(alert),
        reason=reason,
        details={"rule": alert.rule, "verdict": verdict},
    )
    alert.save(update_fields=["state", "verdict", "closing_reason", "closed_at"])
    return alert


def target_of_alert(alert: Alert) -> Target:
    """Return the name under which entries speak of an alert."""
    return Target("audit.alert", str(alert.pk), alert.organisation_id)


def _open_case(finding: Finding, occasion: Occasion) -> Alert | None:
    recent = Alert.objects.select_for_update().filter(
        dedupe_key=finding.dedupe_key, last_at__gte=occasion.occurred_at - GROUPED
    )
    return recent.exclude(state=AlertState.CLOSED).order_by("-last_at").first()


def _count(alert: Alert, occasion: Occasion, finding: Finding) -> Alert:
    alert.count += 1
    alert.last_event_id = occasion.event_id
    alert.last_at = occasion.occurred_at
    alert.facts = dict(finding.facts)
    alert.save(update_fields=["count", "last_event_id", "last_at", "facts"])
    return alert


def _create(finding: Finding, occasion: Occasion) -> Alert:
    return Alert.objects.create(
        rule=finding.rule,
        severity=finding.severity,
        dedupe_key=finding.dedupe_key[:120],
        organisation_id=occasion.organisation_id,
        subject_id=finding.subject_id,
        net=occasion.net,
        facts=dict(finding.facts),
        first_event_id=occasion.event_id,
        last_event_id=occasion.event_id,
        first_at=occasion.occurred_at,
        last_at=occasion.occurred_at,
    )


def _locked(alert_id: UUID) -> Alert:
    alert = Alert.objects.select_for_update().get(pk=alert_id)
    if alert.state == AlertState.CLOSED:
        raise Conflict(_("The alert is closed already."), code="audit.alert_closed")
    return alert
