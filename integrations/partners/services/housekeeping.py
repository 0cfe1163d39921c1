"""What ends by itself: used assertions, old tokens, onboardings nobody goes on with."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from oauth2_provider.models import AccessToken, RefreshToken

from audit.services import record
from foundation import clock, mail
from foundation.mail import MailNotSent
from foundation.principals import system
from integrations.partners import audit_events, states
from integrations.partners.models import Onboarding, UsedAssertion
from integrations.partners.services import clients
from integrations.partners.services.steps import advance, locked
from integrations.partners.types import OnboardingState

ROWS: Final = 500
IDLE_DAYS: Final = 30
WARNED_DAYS_BEFORE: Final = 7
TOKEN_KEPT_DAYS: Final = 1
REFRESH_KEPT_DAYS: Final = 30
BATCH: Final = 20


def prune() -> bool:
    """Delete what has ended (identity.md 7); say whether more is waiting."""
    now = clock.now()
    used = list(
        UsedAssertion.objects.filter(expires_at__lt=now).values_list("pk", flat=True)[:ROWS]
    )
    UsedAssertion.objects.filter(pk__in=used).delete()
    ended = AccessToken.objects.filter(expires__lt=now - timedelta(days=TOKEN_KEPT_DAYS))
    tokens = list(ended.values_list("pk", flat=True)[:ROWS])
    AccessToken.objects.filter(pk__in=tokens).delete()
    RefreshToken.objects.filter(revoked__lt=now - timedelta(days=REFRESH_KEPT_DAYS)).delete()
    return ROWS in {len(used), len(tokens)}


def lapse() -> bool:
    """Warn contacts of idle onboardings, and end those idle for 30 days after the warning."""
    now = clock.now()
    idle = Onboarding.objects.filter(state__in=states.IDLE_STATES)
    warn_before = now - timedelta(days=IDLE_DAYS - WARNED_DAYS_BEFORE)
    to_warn = idle.filter(changed_at__lt=warn_before, warned_at__isnull=True)[:BATCH]
    for onboarding in to_warn:
        _warn(onboarding)
    warned_before = now - timedelta(days=WARNED_DAYS_BEFORE)
    to_end = idle.filter(
        changed_at__lt=now - timedelta(days=IDLE_DAYS), warned_at__lt=warned_before
    )
    for onboarding in to_end[:BATCH]:
        _end(onboarding)
    return False


def _warn(onboarding: Onboarding) -> None:
    try:
        mail.send(
            template="partners/lapsing",
            to=[onboarding.contact_email],
            language=onboarding.language,
            context={"action_url": f"{settings.BASE_URL}/partners/", "days": WARNED_DAYS_BEFORE},
        )
    except MailNotSent:
        return
    Onboarding.objects.filter(pk=onboarding.pk).update(warned_at=clock.now())


@transaction.atomic
def _end(found: Onboarding) -> None:
    onboarding = locked(found.pk)
    if onboarding.changed_at != found.changed_at:
        return
    principal = system("partners.lapse")
    advance(onboarding, OnboardingState.LAPSED, principal=principal)
    record(audit_events.ONBOARDING_LAPSED, principal=principal, target=onboarding)
    clients.stop_all(onboarding)
