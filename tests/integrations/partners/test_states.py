"""No state is skipped: by the table, and by a random walk through the services."""

import itertools
import random
from collections.abc import Callable
from uuid import UUID

import pytest

from foundation.errors import DomainError
from foundation.principals import system
from integrations.partners import agreements, states
from integrations.partners.errors import WrongState
from integrations.partners.models import Onboarding, OnboardingStep
from integrations.partners.services import approvals, mails, onboardings
from integrations.partners.services.steps import advance
from integrations.partners.types import ApprovalKind, OnboardingState
from tests.factories import partners
from tests.proofs import Tried

S = OnboardingState
WITHOUT_BENCH = ApprovalKind.STAFF_WITHOUT_CERTIFICATE

# Written down once more from integrations.md 1, so that a change of the table is a decision.
FORWARD = {
    (S.STARTED, S.ADDRESS_CONFIRMED),
    (S.ADDRESS_CONFIRMED, S.DESCRIBED),
    (S.DESCRIBED, S.DOMAIN_PROVED),
    (S.DOMAIN_PROVED, S.AGREED),
    (S.AGREED, S.SANDBOX),
    (S.SANDBOX, S.CERTIFYING),
    (S.SANDBOX, S.AWAITING_APPROVAL),
    (S.CERTIFYING, S.CERTIFIED),
    (S.CERTIFYING, S.SANDBOX),
    (S.AWAITING_APPROVAL, S.LIVE),
    (S.LIVE, S.SUSPENDED),
    (S.SUSPENDED, S.LIVE),
}
ENDS = {S.REFUSED, S.LAPSED, S.ENDED}


def test_only_the_written_steps_are_possible() -> None:
    possible = {
        (before, after)
        for before in S
        for after in S
        if after not in ENDS and states.may_follow(before, after, rule=WITHOUT_BENCH)
    }

    assert possible == FORWARD


def test_an_ended_onboarding_never_moves_again() -> None:
    moves = [
        (before, after)
        for before in ENDS
        for after in S
        for rule in (None, *ApprovalKind)
        if states.may_follow(before, after, rule=rule)
    ]

    assert moves == []


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (S.SANDBOX, S.AWAITING_APPROVAL, ApprovalKind.STAFF),
        (S.SANDBOX, S.AWAITING_APPROVAL, ApprovalKind.AUTOMATIC),
        (S.SANDBOX, S.AWAITING_APPROVAL, None),
        (S.CERTIFIED, S.LIVE, ApprovalKind.STAFF),
        (S.CERTIFIED, S.AWAITING_APPROVAL, ApprovalKind.AUTOMATIC),
    ],
)
def test_a_step_that_belongs_to_another_rule_is_refused(
    before: OnboardingState, after: OnboardingState, rule: ApprovalKind | None
) -> None:
    assert not states.may_follow(before, after, rule=rule)


def test_the_service_refuses_a_step_that_is_not_written() -> None:
    onboarding, _token = partners.started()

    with pytest.raises(WrongState):
        advance(onboarding, S.LIVE, principal=system("tests"))

    assert Onboarding.objects.get(pk=onboarding.pk).state == S.STARTED


@pytest.mark.proof("partners: no state of an onboarding can be skipped, by any order of calls")
@pytest.mark.parametrize("seed", range(6))
def test_a_random_walk_skips_no_state(seed: int, tried: Tried) -> None:
    chance = random.Random(seed)  # noqa: S311  a walk, no secret
    onboarding, _token = partners.started(f"walk{seed}@borealis.example")
    acts = _acts(onboarding.pk, seed)

    for _turn in range(40):
        try:
            chance.choice(acts)()
        except DomainError:
            continue

    steps = list(OnboardingStep.objects.filter(onboarding=onboarding))
    path = [S.STARTED, *(S(step.to_state) for step in steps)]
    pairs = list(itertools.pairwise(path))
    assert [(S(step.from_state), S(step.to_state)) for step in steps] == pairs
    assert all(pair in FORWARD or pair[1] in ENDS for pair in pairs)
    assert Onboarding.objects.get(pk=onboarding.pk).state == path[-1]
    tried.case()


def _acts(onboarding_id: UUID, seed: int) -> list[Callable[[], object]]:
    staff = partners.staff()
    links: list[str] = []

    def confirm() -> object:
        if not links:
            links.append(partners.link_of(Onboarding.objects.get(pk=onboarding_id)))
        return onboardings.confirm_address(links[0])

    def accept() -> object:
        onboarding = Onboarding.objects.get(pk=onboarding_id)
        return onboardings.accept_terms(
            onboarding_id,
            digests=agreements.digests() if seed % 2 else {},
            principal=onboardings.registration_principal(onboarding),
            user_id=staff.id or onboarding_id,
        )

    def describe() -> object:
        onboarding = Onboarding.objects.get(pk=onboarding_id)
        principal = onboardings.registration_principal(onboarding)
        return onboardings.describe(onboarding_id, partners.description(), principal=principal)

    def ask() -> object:
        return onboardings.ask_approval(onboarding_id, principal=system("tests"))

    def decide(act: Callable[..., object]) -> Callable[[], object]:
        return lambda: act(onboarding_id, reason="Because", principal=staff)

    often = [confirm, describe, accept, ask] * 3
    return [
        *often,
        mails.sweep,
        decide(approvals.approve),
        decide(approvals.suspend),
        decide(approvals.resume),
        decide(approvals.refuse),
    ]
