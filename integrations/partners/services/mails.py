"""Mails to the contact of an onboarding; sent by tasks and, where one was lost, by the sweep."""

import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from encryption import services as keys
from encryption.normalisation import normalise_email
from foundation import clock, leases, mail
from foundation.errors import Unavailable
from foundation.rate_limit import allow
from integrations.partners import states
from integrations.partners.digests import digest_of
from integrations.partners.models import Onboarding
from integrations.partners.types import OnboardingState

LINK_DAYS: Final = 7
IDLE_DAYS: Final = 30
WARNED_DAYS_BEFORE: Final = 7
FORGOTTEN_SECONDS: Final = 20
BATCH: Final = 20
MAILS_PER_ADDRESS: Final = 5
MAILS_WINDOW_SECONDS: Final = 24 * 3600
ADDRESS_PURPOSE: Final = "partners.address"
CONFIRM_PATH: Final = "/partners/confirm/"
CLIENTS_PATH: Final = "/partners/"
LIVE: Final = OnboardingState.LIVE

_CONFIRMATION_DUE: Final = Q(state=OnboardingState.STARTED, confirmation_sent_at__isnull=True)
_DECISION_DUE: Final = Q(
    state__in=[LIVE, OnboardingState.REFUSED],
    decided_at__isnull=False,
    decision_sent_at__isnull=True,
)


def send_confirmation(onboarding_id: UUID) -> None:
    """Send the link that confirms the address, once.

    Raises:
        MailNotSent: the mail server did not take it; the sweep tries again.
    """
    found = Onboarding.objects.filter(pk=onboarding_id)
    if not leases.take(found.filter(_CONFIRMATION_DUE)):
        return
    onboarding = found.get()
    is_next_try = onboarding.confirmation_hash is not None
    if is_next_try or _may_be_mailed(onboarding):
        _send_link(onboarding)
    found.update(confirmation_sent_at=clock.now(), lease_until=None)


def send_decision(onboarding_id: UUID) -> None:
    """Tell the contact, once, that the live client exists, or the ground of the refusal.

    Raises:
        MailNotSent: the mail server did not take it; the sweep tries again.
    """
    found = Onboarding.objects.filter(pk=onboarding_id)
    if not leases.take(found.filter(_DECISION_DUE)):
        return
    onboarding = found.get()
    mail.send(
        template="partners/approved" if onboarding.state == LIVE else "partners/refused",
        to=[onboarding.contact_email],
        language=onboarding.language,
        context={
            "action_url": f"{settings.BASE_URL}{CLIENTS_PATH}",
            "organisation": onboarding.organisation_name,
            "reason": onboarding.decision_reason,
        },
    )
    found.update(decision_sent_at=clock.now(), lease_until=None)


def send_warning(onboarding_id: UUID) -> None:
    """Warn the contact of an idle onboarding, once, that it is about to end.

    Raises:
        MailNotSent: the mail server did not take it; the sweep tries again.
    """
    found = Onboarding.objects.filter(pk=onboarding_id)
    if not leases.take(found.filter(_warning_due())):
        return
    onboarding = found.get()
    mail.send(
        template="partners/lapsing",
        to=[onboarding.contact_email],
        language=onboarding.language,
        context={
            "action_url": f"{settings.BASE_URL}{CLIENTS_PATH}",
            "days": WARNED_DAYS_BEFORE,
        },
    )
    # Whoever went on meanwhile is not idle any more, and is warned anew when the time comes.
    found.filter(changed_at=onboarding.changed_at).update(warned_at=clock.now())
    found.update(lease_until=None)


def sweep_warnings() -> bool:
    """Warn of idle onboardings; say whether more are waiting.

    An address that is refused each time holds back no other: its lease keeps it out of the next
    round.
    """
    idle = _forgotten(_warning_due())
    for onboarding_id in idle:
        with suppress(mail.MailNotSent):
            send_warning(onboarding_id)
    return len(idle) == BATCH


def sweep() -> bool:
    """Send forgotten mails; say whether more are waiting."""
    before = clock.now() - timedelta(seconds=FORGOTTEN_SECONDS)
    open_links = _CONFIRMATION_DUE & Q(registration_expires_at__gt=clock.now())
    links = _forgotten(open_links & Q(created_at__lt=before))
    decisions = _forgotten(_DECISION_DUE & Q(decided_at__lt=before))
    try:
        for onboarding_id in links:
            send_confirmation(onboarding_id)
        for onboarding_id in decisions:
            send_decision(onboarding_id)
    except Unavailable:
        return False
    return BATCH in {len(links), len(decisions)}


def _warning_due() -> Q:
    before = clock.now() - timedelta(days=IDLE_DAYS - WARNED_DAYS_BEFORE)
    return Q(state__in=states.IDLE_STATES, changed_at__lt=before, warned_at__isnull=True)


def _forgotten(due: Q) -> list[UUID]:
    rows = Onboarding.objects.filter(due, leases.is_free()).order_by("created_at")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def _send_link(onboarding: Onboarding) -> None:
    """Make a token, keep its digest alone, and send it."""
    token = secrets.token_urlsafe(32)
    expires_at = clock.now() + timedelta(days=LINK_DAYS)
    Onboarding.objects.filter(pk=onboarding.pk).update(
        confirmation_hash=digest_of(token), confirmation_expires_at=expires_at
    )
    mail.send(
        template="partners/confirm_address",
        to=[onboarding.contact_email],
        language=onboarding.language,
        context={
            "action_url": f"{settings.BASE_URL}{CONFIRM_PATH}{token}/",
            "expires_at": expires_at,
        },
    )


def _may_be_mailed(onboarding: Onboarding) -> bool:
    """Say whether an address has had few links today: nobody floods a stranger's mailbox."""
    address = normalise_email(str(onboarding.contact_email))
    counted = keys.mac(ADDRESS_PURPOSE, address).hex()
    return allow(
        f"partners.mail:{counted}", limit=MAILS_PER_ADDRESS, window_seconds=MAILS_WINDOW_SECONDS
    )
