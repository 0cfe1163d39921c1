"""Mails to the contact of an onboarding; sent by tasks and, where one was lost, by the sweep."""

import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from encryption import services as keys
from encryption.normalisation import normalise_email
from foundation import clock, mail
from foundation.mail import MailNotSent
from foundation.rate_limit import allow
from integrations.partners import queries
from integrations.partners.models import Onboarding
from integrations.partners.services.steps import locked
from integrations.partners.types import OnboardingState

LINK_DAYS: Final = 7
FORGOTTEN_SECONDS: Final = 20
BATCH: Final = 20
MAILS_PER_ADDRESS: Final = 5
MAILS_WINDOW_SECONDS: Final = 24 * 3600
ADDRESS_PURPOSE: Final = "partners.address"
CONFIRM_PATH: Final = "/partners/confirm/"
CLIENTS_PATH: Final = "/partners/"


def send_confirmation(onboarding_id: UUID) -> None:
    """Send the link that confirms the address; its token is made now and only its digest kept.

    Raises:
        MailNotSent: the mail server did not take it; the sweep tries again.
    """
    token = secrets.token_urlsafe(32)
    onboarding = _claim_confirmation(onboarding_id, token)
    if onboarding is None or not _may_be_mailed(onboarding):
        return
    try:
        mail.send(
            template="partners/confirm_address",
            to=[onboarding.contact_email],
            language=onboarding.language,
            context={
                "action_url": f"{settings.BASE_URL}{CONFIRM_PATH}{token}/",
                "expires_at": onboarding.confirmation_expires_at,
            },
        )
    except MailNotSent:
        Onboarding.objects.filter(pk=onboarding_id).update(confirmation_sent_at=None)
        raise


def send_decision(onboarding_id: UUID) -> None:
    """Tell the contact that the live client exists, or the ground of the refusal."""
    onboarding = Onboarding.objects.filter(pk=onboarding_id).first()
    if onboarding is None or onboarding.state not in {
        OnboardingState.LIVE,
        OnboardingState.REFUSED,
    }:
        return
    is_live = onboarding.state == OnboardingState.LIVE
    mail.send(
        template="partners/approved" if is_live else "partners/refused",
        to=[onboarding.contact_email],
        language=onboarding.language,
        context={
            "action_url": f"{settings.BASE_URL}{CLIENTS_PATH}",
            "organisation": onboarding.organisation_name,
            "reason": onboarding.decision_reason,
        },
    )


def sweep() -> bool:
    """Send forgotten confirmations; say whether more are waiting."""
    due = Onboarding.objects.filter(
        state=OnboardingState.STARTED,
        confirmation_sent_at__isnull=True,
        created_at__lt=clock.now() - timedelta(seconds=FORGOTTEN_SECONDS),
        registration_expires_at__gt=clock.now(),
    )
    ids = list(due.order_by("created_at").values_list("pk", flat=True)[:BATCH])
    for onboarding_id in ids:
        try:
            send_confirmation(onboarding_id)
        except MailNotSent:
            return False
    return len(ids) == BATCH


@transaction.atomic
def _claim_confirmation(onboarding_id: UUID, token: str) -> Onboarding | None:
    onboarding = locked(onboarding_id)
    is_due = onboarding.state == OnboardingState.STARTED and onboarding.confirmation_sent_at is None
    if not is_due:
        return None
    now = clock.now()
    onboarding.confirmation_hash = queries.digest_of(token)
    onboarding.confirmation_expires_at = now + timedelta(days=LINK_DAYS)
    onboarding.confirmation_sent_at = now
    onboarding.save()
    return onboarding


def _may_be_mailed(onboarding: Onboarding) -> bool:
    """Say whether an address has had few links today: nobody floods a stranger's mailbox."""
    address = normalise_email(str(onboarding.contact_email))
    counted = keys.mac(ADDRESS_PURPOSE, address).hex()
    return allow(
        f"partners.mail:{counted}", limit=MAILS_PER_ADDRESS, window_seconds=MAILS_WINDOW_SECONDS
    )
