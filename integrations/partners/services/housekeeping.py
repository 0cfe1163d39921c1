"""What ends by itself: used assertions, old tokens, onboardings nobody goes on with."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from oauth2_provider.models import AccessToken, RefreshToken

from audit.services import record
from foundation import clock
from foundation.principals import system
from integrations.partners import audit_events, states
from integrations.partners.models import Onboarding, UsedAssertion
from integrations.partners.services import clients, mails
from integrations.partners.services.steps import advance, locked
from integrations.partners.types import OnboardingState

ROWS: Final = 500
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
    are_more_idle = mails.sweep_warnings()
    now = clock.now()
    to_end = Onboarding.objects.filter(
        state__in=states.IDLE_STATES,
        changed_at__lt=now - timedelta(days=mails.IDLE_DAYS),
        warned_at__lt=now - timedelta(days=mails.WARNED_DAYS_BEFORE),
    )
    for onboarding in to_end[:BATCH]:
        _end(onboarding)
    return are_more_idle


@transaction.atomic
def _end(found: Onboarding) -> None:
    onboarding = locked(found.pk)
    if onboarding.changed_at != found.changed_at:
        return
    principal = system("partners.lapse")
    advance(onboarding, OnboardingState.LAPSED, principal=principal)
    record(audit_events.ONBOARDING_LAPSED, principal=principal, target=onboarding)
    clients.stop_all(onboarding)
