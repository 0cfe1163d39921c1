"""The states of an onboarding and every step between two of them (integrations.md 1).

What is not listed here is refused. ``agreed`` leads to ``sandbox`` in the same transaction; the
certification bench fills ``certifying`` and ``certified``.
"""

from collections.abc import Mapping
from typing import Final

from integrations.partners.types import ApprovalKind, OnboardingState

S = OnboardingState

ENDED_STATES: Final = frozenset({S.REFUSED, S.LAPSED, S.ENDED})
IDLE_STATES: Final = frozenset(
    {S.STARTED, S.ADDRESS_CONFIRMED, S.DESCRIBED, S.DOMAIN_PROVED, S.AGREED, S.SANDBOX}
)

_FORWARD: Final[Mapping[OnboardingState, frozenset[OnboardingState]]] = {
    S.STARTED: frozenset({S.ADDRESS_CONFIRMED}),
    S.ADDRESS_CONFIRMED: frozenset({S.DESCRIBED}),
    S.DESCRIBED: frozenset({S.DOMAIN_PROVED}),
    S.DOMAIN_PROVED: frozenset({S.AGREED}),
    S.AGREED: frozenset({S.SANDBOX}),
    S.SANDBOX: frozenset({S.CERTIFYING, S.AWAITING_APPROVAL}),
    S.CERTIFYING: frozenset({S.CERTIFIED, S.SANDBOX}),
    S.CERTIFIED: frozenset({S.AWAITING_APPROVAL, S.LIVE}),
    S.AWAITING_APPROVAL: frozenset({S.LIVE}),
    S.LIVE: frozenset({S.SUSPENDED}),
    S.SUSPENDED: frozenset({S.LIVE}),
    S.REFUSED: frozenset(),
    S.LAPSED: frozenset(),
    S.ENDED: frozenset(),
}

_BY_RULE: Final = {
    (S.SANDBOX, S.AWAITING_APPROVAL): frozenset({ApprovalKind.STAFF_WITHOUT_CERTIFICATE}),
    (S.CERTIFIED, S.AWAITING_APPROVAL): frozenset({ApprovalKind.STAFF}),
    (S.CERTIFIED, S.LIVE): frozenset({ApprovalKind.AUTOMATIC}),
}


def may_follow(
    before: OnboardingState, after: OnboardingState, *, rule: ApprovalKind | None = None
) -> bool:
    """Say whether one state may follow another, under the rule of approval in force.

    Args:
        before: the present state.
        after: the wanted state.
        rule: needed for the steps that depend on it; None refuses those.
    """
    if after in ENDED_STATES:
        return _may_end(before, after)
    if after not in _FORWARD[before]:
        return False
    rules = _BY_RULE.get((before, after))
    return rules is None or rule in rules


def _may_end(before: OnboardingState, after: OnboardingState) -> bool:
    if before in ENDED_STATES:
        return False
    if after == S.REFUSED:
        return before not in {S.LIVE, S.SUSPENDED}
    if after == S.LAPSED:
        return before in IDLE_STATES
    return True
