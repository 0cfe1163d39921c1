"""What the partners' pages, API and staff see; each query names whose rows it gives."""

from uuid import UUID

from django.db.models import Q, QuerySet

from foundation import clock
from foundation.errors import NotFound
from foundation.principals import Principal
from integrations.partners.digests import digest_of
from integrations.partners.models import (
    ApprovalRule,
    ClientSecret,
    Onboarding,
    PartnerClient,
)
from integrations.partners.types import ApprovalKind, OnboardingState


def onboarding_of_token(token: str) -> Onboarding | None:
    """Return the onboarding that a registration token opens now."""
    return Onboarding.objects.filter(
        registration_hash=digest_of(token), registration_expires_at__gt=clock.now()
    ).first()


def onboarding_to_confirm(token: str) -> Onboarding | None:
    """Return the onboarding whose mail held a link, while the link is open."""
    return Onboarding.objects.filter(
        confirmation_hash=digest_of(token),
        confirmation_expires_at__gt=clock.now(),
        state=OnboardingState.STARTED,
    ).first()


def onboarding_for(principal: Principal, onboarding_id: UUID) -> Onboarding:
    """Return the onboarding of a registration token's principal.

    Raises:
        NotFound: there is none, or it is another one.
    """
    if principal.credential_id != onboarding_id:
        raise NotFound
    return Onboarding.objects.get(pk=onboarding_id)


def onboarding_of_organisation(organisation_id: UUID | None) -> Onboarding | None:
    """Return the onboarding by which an organisation came in."""
    if organisation_id is None:
        return None
    return Onboarding.objects.filter(organisation_id=organisation_id).first()


def clients_of(organisation_id: UUID | None) -> QuerySet[PartnerClient]:
    """Return the clients of an organisation, newest first."""
    if organisation_id is None:
        return PartnerClient.objects.none()
    return PartnerClient.objects.filter(organisation_id=organisation_id).order_by("-id")


def client_for(principal: Principal, client_id: UUID) -> PartnerClient:
    """Return a client of the principal's organisation.

    Raises:
        NotFound: there is none, or another organisation's.
    """
    found = clients_seen_by(principal).filter(pk=client_id).first()
    if found is None:
        raise NotFound
    return found


def clients_seen_by(principal: Principal) -> QuerySet[PartnerClient]:
    """Return the clients a person or a client sees.

    A client in the sandbox acts in an organisation of its own and sees the clients of that
    environment only.
    """
    if principal.organisation_id is None:
        return PartnerClient.objects.none()
    own = Q(organisation_id=principal.organisation_id)
    acting = Q(acts_in_id=principal.organisation_id)
    condition = own if principal.subject_id is not None else acting
    return PartnerClient.objects.filter(condition).order_by("-id")


def client_by_client_id(client_id: str) -> PartnerClient | None:
    """Return the client of an OAuth2 client id, usable or not."""
    if "\x00" in client_id or not client_id:
        return None
    return (
        PartnerClient.objects.select_related("organisation", "acts_in")
        .filter(client_id=client_id)
        .first()
    )


def live_secrets_of(client: PartnerClient) -> QuerySet[ClientSecret]:
    """Return the secrets of a client that open something now."""
    return client.secrets.filter(revoked_at__isnull=True, expires_at__gt=clock.now())


def approval_kind(plan: str) -> ApprovalKind:
    """Return the rule for a plan: its own, else that of all plans, else by staff."""
    rules = {rule.plan: rule.kind for rule in ApprovalRule.objects.filter(plan__in=(plan, ""))}
    found = rules.get(plan, rules.get("", ApprovalKind.STAFF_WITHOUT_CERTIFICATE))
    return ApprovalKind(found)
