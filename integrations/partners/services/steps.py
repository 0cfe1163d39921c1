"""The one place where the state of an onboarding changes."""

from collections.abc import Mapping
from uuid import UUID

from foundation import clock
from foundation.principals import Principal
from integrations.partners import states
from integrations.partners.errors import WrongState
from integrations.partners.models import Onboarding, OnboardingStep
from integrations.partners.types import ApprovalKind, OnboardingState


def locked(onboarding_id: UUID) -> Onboarding:
    """Return the row, locked until the end of the transaction."""
    return Onboarding.objects.select_for_update().get(pk=onboarding_id)


def advance(
    onboarding: Onboarding,
    to: OnboardingState,
    *,
    principal: Principal,
    evidence: Mapping[str, object] | None = None,
    rule: ApprovalKind | None = None,
) -> None:
    """Bring a locked onboarding to its next state and keep what the step rests on.

    Raises:
        WrongState: the step is not one of :mod:`integrations.partners.states`.
    """
    before = OnboardingState(onboarding.state)
    if not states.may_follow(before, to, rule=rule):
        raise WrongState(before)
    onboarding.state = to
    onboarding.version += 1
    onboarding.changed_at = clock.now()
    onboarding.warned_at = None
    onboarding.save()
    OnboardingStep.objects.create(
        onboarding=onboarding,
        from_state=before,
        to_state=to,
        at=onboarding.changed_at,
        actor_type=principal.kind,
        actor_id=principal.id,
        evidence=dict(evidence or {}),
    )
