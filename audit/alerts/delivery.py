"""Sending of one alert to one channel or person."""

import logging
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from audit import audit_events
from audit.alerts import outbox
from audit.alerts.channels import addresses_of
from audit.alerts.facts import facts_of
from audit.alerts.services import DETECTION, Occasion, raise_alert, target_of_alert
from audit.anomaly.rules import Finding, explanation_of, title_of
from audit.anomaly.sign_in import SUCCESS_AFTER_ATTACK
from audit.events import EventType, Severity
from audit.models import Alert, AlertDelivery
from audit.services import record
from foundation import clock, deferred, mail
from foundation.contracts.people import NoticeContact, person_directory
from foundation.errors import DomainError
from foundation.identifiers import uuid7
from foundation.web.branding import branding

TASK: Final = "audit.deliver_alert"
PERSON: Final = "person"

_log = logging.getLogger(__name__)


def sweep() -> bool:
    """Enqueue what is due; the row stays due until a worker has sent it."""
    due = outbox.take_due()
    for delivery_id in due:
        deferred.defer(TASK, delivery_id=delivery_id)
    return len(due) == outbox.SWEPT_AT_ONCE


def deliver(delivery_id: UUID) -> None:
    """Send one delivery if it is due and nobody else has it; safe to call again at any time."""
    delivery = outbox.claim(delivery_id)
    if delivery is None:
        return
    notice = _notice(delivery)
    if not notice.addresses:
        _give_up(delivery, "no_address")
        return
    try:
        _send(delivery, notice)
    except DomainError as error:
        _failed(delivery, error)
    else:
        _sent(delivery)


def _notice(delivery: AlertDelivery) -> NoticeContact:
    if delivery.channel is not None:
        return NoticeContact(addresses_of(delivery.channel), delivery.channel.language)
    if delivery.recipient is None or not person_directory.is_provided:
        return NoticeContact((), "en")
    return person_directory.implementation.notice_addresses(delivery.recipient)


def _send(delivery: AlertDelivery, notice: NoticeContact) -> None:
    to_person = delivery.channel is None
    with translation.override(notice.language):
        context = _for_person(delivery.alert) if to_person else _for_channel(delivery.alert)
    mail.send(
        template="audit/notice" if to_person else "audit/alert",
        to=notice.addresses,
        language=notice.language,
        context={"brand": branding(), **context},
    )


def _for_channel(alert: Alert) -> dict[str, object]:
    # No name and no full address: mail travels and is kept where we cannot erase it.
    return {
        "title": title_of(alert.rule),
        "explanation": explanation_of(alert.rule),
        "facts": facts_of(alert),
        "action_url": f"{settings.BASE_URL}{reverse('audit:alert', args=[alert.pk])}",
    }


def _for_person(alert: Alert) -> dict[str, object]:
    return {
        "signed_in": alert.rule == SUCCESS_AFTER_ATTACK.code,
        "action_url": f"{settings.BASE_URL}{reverse('audit:history')}",
    }


def _sent(delivery: AlertDelivery) -> None:
    with transaction.atomic():
        if outbox.mark_sent(delivery):
            _journal(delivery, audit_events.ALERT_DELIVERED)


def _failed(delivery: AlertDelivery, error: DomainError) -> None:
    if outbox.is_too_old(delivery):
        _give_up(delivery, error.reason_code)
        return
    _log.warning("alert not delivered", extra={"attempts": delivery.attempts})
    outbox.try_again(delivery, error.reason_code)


@transaction.atomic
def _give_up(delivery: AlertDelivery, error: str) -> None:
    if not outbox.mark_dead(delivery, error):
        return
    _journal(delivery, audit_events.ALERT_UNDELIVERABLE, error=error)
    if delivery.channel is not None:
        _tell_other_channels(delivery)


def _tell_other_channels(delivery: AlertDelivery) -> None:
    finding = Finding(
        rule="D19", severity=Severity.CRITICAL, dedupe_key=f"D19:channel:{delivery.channel_id}"
    )
    occasion = Occasion(event_id=uuid7(), occurred_at=clock.real_now())
    raise_alert(finding, occasion=occasion, not_by=delivery.channel_id)


def _journal(delivery: AlertDelivery, event_type: EventType, **more: str) -> None:
    record(
        event_type,
        principal=DETECTION,
        target=target_of_alert(delivery.alert),
        organisation=delivery.alert.organisation_id,
        details={
            "rule": delivery.alert.rule,
            "channel": PERSON if delivery.channel is None else str(delivery.channel.kind),
            "attempts": delivery.attempts,
            **more,
        },
    )
