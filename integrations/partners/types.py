"""Kinds, states and shapes of the partners' way in."""

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

ClientId = NewType("ClientId", str)


class OnboardingState(TextChoices):
    """Where an onboarding stands (integrations.md 1)."""

    STARTED = "started", _("Started")
    ADDRESS_CONFIRMED = "address_confirmed", _("Address confirmed")
    DESCRIBED = "described", _("Described")
    DOMAIN_PROVED = "domain_proved", _("Domain proved")
    AGREED = "agreed", _("Terms accepted")
    SANDBOX = "sandbox", _("Sandbox")
    CERTIFYING = "certifying", _("Certifying")
    CERTIFIED = "certified", _("Certified")
    AWAITING_APPROVAL = "awaiting_approval", _("Awaiting approval")
    LIVE = "live", _("Live")
    SUSPENDED = "suspended", _("Suspended")
    REFUSED = "refused", _("Refused")
    LAPSED = "lapsed", _("Lapsed")
    ENDED = "ended", _("Ended")


class Environment(TextChoices):
    """Where a client acts: on synthetic data or on the organisation's own."""

    SANDBOX = "sandbox", _("Sandbox")
    LIVE = "live", _("Live")


class ApprovalKind(TextChoices):
    """What a partner needs before its live client exists."""

    AUTOMATIC = "automatic", _("Certificate")
    STAFF = "staff", _("Certificate and approval by staff")
    STAFF_WITHOUT_CERTIFICATE = (
        "staff_without_certificate",
        _("Approval by staff, without certificate"),
    )


@dataclass(frozen=True, slots=True)
class NextStep:
    """What an onboarding waits for.

    Attributes:
        code: stable name of the step.
        who: ``partner``, ``person`` (a browser is needed) or ``staff``.
        detail: what to do, as a sentence.
        url: browser address, for what needs a person; empty otherwise.
    """

    code: str
    who: str
    detail: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """A new onboarding with its token, which is shown this once.

    Attributes:
        onboarding_id: the row.
        registration_token: bearer token of the scope ``onboarding:write``.
    """

    onboarding_id: UUID
    registration_token: str


@dataclass(frozen=True, slots=True)
class Terms:
    """One text a partner agrees to.

    Attributes:
        code: ``api-terms`` or ``data-processing``.
        version: the text's version.
        digest: SHA-256 of its UTF-8 bytes, hexadecimal.
        text: the text itself.
    """

    code: str
    version: str
    digest: str
    text: str
