"""Mails of privacy; they hold no personal data but the address they go to."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from foundation import clock
from foundation.contracts.people import person_directory
from foundation.mail import send
from privacy.models import Archive, ErasurePlan
from privacy.models.erasure import PlanState
from privacy.services import receipts


def tell_ready(request_id: UUID) -> None:
    """Say that the copy can be fetched; a second call does nothing."""
    waiting = Archive.objects.filter(content__isnull=False, told_at__isnull=True)
    held = waiting.select_related("request").filter(request_id=request_id).first()
    if held is None:
        return
    _send(
        "archive_ready",
        held.request.subject_id,
        action_url=f"{settings.BASE_URL}{reverse('privacy:request', args=[request_id])}",
        expires_at=held.expires_at,
    )
    Archive.objects.filter(pk=held.pk).update(told_at=clock.now())


def tell_scheduled(plan_id: UUID) -> None:
    """Mail the date of an erasure, the way to cancel it and the receipt's secret address.

    The address must be sent now: afterwards there is no address left to send anything to. A
    second call does nothing.
    """
    waiting = ErasurePlan.objects.filter(state=PlanState.SCHEDULED, told_at__isnull=True)
    plan = waiting.select_related("request").filter(pk=plan_id).first()
    if plan is None:
        return
    _send(
        "erasure_scheduled",
        plan.request.subject_id,
        runs_at=plan.runs_at,
        action_url=f"{settings.BASE_URL}{reverse('privacy:overview')}",
        receipt_url=receipts.address_of(plan),
    )
    ErasurePlan.objects.filter(pk=plan.pk).update(told_at=clock.now())


def _send(template: str, subject_id: UUID, **context: object) -> None:
    contact = person_directory.implementation.notice_addresses(subject_id)
    send(
        template=f"privacy/{template}",
        to=contact.addresses,
        language=contact.language,
        context=context,
    )
