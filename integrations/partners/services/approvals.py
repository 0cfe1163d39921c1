"""What the operator's staff decide: approve, refuse, suspend, resume."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.services import record
from foundation import clock
from foundation.deferred import defer
from foundation.errors import Denied
from foundation.principals import Principal
from integrations.partners import audit_events, queries
from integrations.partners.errors import ReasonNeeded, WrongState
from integrations.partners.models import Onboarding
from integrations.partners.permissions import APPROVE_ONBOARDINGS
from integrations.partners.services import clients
from integrations.partners.services.steps import advance, locked
from integrations.partners.types import ApprovalKind, Environment, OnboardingState


@transaction.atomic
def approve(onboarding_id: UUID, *, reason: str, principal: Principal) -> Onboarding:
    """Approve on the evidence: the live client comes into being and the partner is told.

    Raises:
        Denied: the principal is no staff member with this right.
        ReasonNeeded: no reason was given.
        WrongState: nothing waits for a decision.
    """
    onboarding = _to_decide(onboarding_id, reason=reason, principal=principal)
    if onboarding.state != OnboardingState.AWAITING_APPROVAL:
        raise WrongState(onboarding.state)
    rule = _rule(onboarding)
    _decide(onboarding, reason=reason, principal=principal)
    advance(onboarding, OnboardingState.LIVE, principal=principal, evidence={"rule": rule})
    record(
        audit_events.ONBOARDING_APPROVED,
        principal=principal,
        target=onboarding,
        reason=reason,
        details={"rule": rule},
    )
    clients.create(onboarding, environment=Environment.LIVE, principal=principal)
    defer("partners.mail_decision", onboarding_id=onboarding.pk)
    return onboarding


@transaction.atomic
def refuse(onboarding_id: UUID, *, reason: str, principal: Principal) -> Onboarding:
    """Refuse with the ground, which the partner is told; its clients stop.

    Raises:
        Denied: the principal is no staff member with this right.
        ReasonNeeded: no reason was given.
        WrongState: it is live or has ended.
    """
    onboarding = _to_decide(onboarding_id, reason=reason, principal=principal)
    _decide(onboarding, reason=reason, principal=principal)
    _move(
        onboarding,
        OnboardingState.REFUSED,
        audit_events.ONBOARDING_REFUSED,
        reason=reason,
        principal=principal,
    )
    clients.stop_all(onboarding)
    defer("partners.mail_decision", onboarding_id=onboarding.pk)
    return onboarding


@transaction.atomic
def suspend(onboarding_id: UUID, *, reason: str, principal: Principal) -> Onboarding:
    """Stop a live partner's clients at once.

    Raises:
        Denied: the principal is no staff member with this right.
        ReasonNeeded: no reason was given.
        WrongState: it is not live.
    """
    onboarding = _to_decide(onboarding_id, reason=reason, principal=principal)
    _move(
        onboarding,
        OnboardingState.SUSPENDED,
        audit_events.ONBOARDING_SUSPENDED,
        reason=reason,
        principal=principal,
    )
    clients.stop_all(onboarding)
    return onboarding


@transaction.atomic
def resume(onboarding_id: UUID, *, reason: str, principal: Principal) -> Onboarding:
    """Lift a suspension; clients that were not revoked work again.

    Raises:
        Denied: the principal is no staff member with this right.
        ReasonNeeded: no reason was given.
        WrongState: it is not suspended.
    """
    onboarding = _to_decide(onboarding_id, reason=reason, principal=principal)
    if onboarding.state != OnboardingState.SUSPENDED:
        raise WrongState(onboarding.state)
    _move(
        onboarding,
        OnboardingState.LIVE,
        audit_events.ONBOARDING_RESUMED,
        reason=reason,
        principal=principal,
    )
    clients.start_all(onboarding)
    return onboarding


def _to_decide(onboarding_id: UUID, *, reason: str, principal: Principal) -> Onboarding:
    if not principal.is_staff or not principal.may(APPROVE_ONBOARDINGS):
        raise Denied
    if not reason.strip():
        raise ReasonNeeded(_("Say why, in your own words."))
    return locked(onboarding_id)


def _decide(onboarding: Onboarding, *, reason: str, principal: Principal) -> None:
    onboarding.decided_by_id = principal.id
    onboarding.decided_at = clock.now()
    onboarding.decision_reason = reason.strip()


def _rule(onboarding: Onboarding) -> ApprovalKind:
    organisation = onboarding.organisation
    return queries.approval_kind(organisation.plan if organisation is not None else "")


def _move(
    onboarding: Onboarding,
    to: OnboardingState,
    event: EventType,
    *,
    reason: str,
    principal: Principal,
) -> None:
    advance(onboarding, to, principal=principal)
    record(event, principal=principal, target=onboarding, reason=reason)
