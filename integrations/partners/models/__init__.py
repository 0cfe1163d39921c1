"""Tables of the partners' way in: onboarding, clients and their secrets."""

from integrations.partners.models.client import ClientSecret, PartnerClient, UsedAssertion
from integrations.partners.models.onboarding import ApprovalRule, Onboarding, OnboardingStep

__all__ = [
    "ApprovalRule",
    "ClientSecret",
    "Onboarding",
    "OnboardingStep",
    "PartnerClient",
    "UsedAssertion",
]
