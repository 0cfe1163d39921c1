"""A partner's own steps: start, confirm, describe, accept, ask for approval."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import queries as accounts
from accounts.models import Organisation, Role
from accounts.services import invitations, organisations
from accounts.types import OrganisationKind
from audit.services import record
from foundation import clock
from foundation.deferred import defer
from foundation.errors import FieldError, Invalid, TooMany
from foundation.lines import is_one_line
from foundation.principals import ActorType, Principal, system
from foundation.rate_limit import take
from foundation.rest.scopes import scopes
from integrations.partners import agreements, audit_events, domains, key_sets, queries
from integrations.partners.digests import digest_of
from integrations.partners.errors import (
    AddressNotConfirmed,
    CertificateNeeded,
    LinkNotValid,
    MemberFixed,
    WrongState,
)
from integrations.partners.models import Onboarding
from integrations.partners.services import clients
from integrations.partners.services.steps import advance, locked
from integrations.partners.types import (
    ApprovalKind,
    Environment,
    NextStep,
    OnboardingState,
    Started,
)

REGISTRATION_SCOPE: Final = "onboarding:write"
REGISTRATION_DAYS: Final = 7
STARTS_PER_NET: Final = 20
STARTS_WINDOW_SECONDS: Final = 3600
FIRST_ROLE: Final = "key_user"
TERMS_PATH: Final = "/partners/terms/"

_BEFORE_ORGANISATION: Final = frozenset(
    {OnboardingState.ADDRESS_CONFIRMED, OnboardingState.DESCRIBED}
)


@dataclass(frozen=True, slots=True)
class Description:
    """What a partner says of itself; None leaves a member as it is."""

    organisation_name: str | None = None
    contact_name: str | None = None
    purpose: str | None = None
    wanted_scopes: tuple[str, ...] | None = None
    jwks: Mapping[str, object] | None = None


@transaction.atomic
def start(*, email: str, language: str, net: str) -> Started:
    """Begin an onboarding; the answer and the mail are alike for known and unknown addresses.

    Args:
        email: where the link goes.
        language: of the mail.
        net: of the caller, whose starts are limited.

    Raises:
        Invalid: that is no address.
        TooMany: the net has started too often.
    """
    _check_address(email)
    _count_start(net)
    token = f"ghr_{secrets.token_urlsafe(32)}"
    now = clock.now()
    onboarding = Onboarding(
        contact_email=email,
        language=language,
        email_domain=domains.domain_of(email),
        started_net=net,
        registration_hash=digest_of(token),
        registration_expires_at=now + timedelta(days=REGISTRATION_DAYS),
        created_at=now,
        changed_at=now,
    )
    onboarding.save(force_insert=True)
    record(
        audit_events.ONBOARDING_STARTED,
        principal=system("partners.onboarding"),
        target=onboarding,
        about=onboarding.contact_subject_id,
        details={"domain": onboarding.email_domain},
    )
    defer("partners.mail_confirmation", onboarding_id=onboarding.pk)
    return Started(onboarding_id=onboarding.pk, registration_token=token)


@transaction.atomic
def confirm_address(token: str) -> Onboarding:
    """Use the link of a mail up.

    Raises:
        LinkNotValid: it is unknown, used or too old.
    """
    found = queries.onboarding_to_confirm(token)
    if found is None:
        raise LinkNotValid(_("This link is not valid: it was used already or is too old."))
    onboarding = locked(found.pk)
    if onboarding.state != OnboardingState.STARTED:
        raise LinkNotValid(_("This link is not valid: it was used already or is too old."))
    onboarding.confirmation_hash = None
    principal = system("partners.onboarding")
    advance(onboarding, OnboardingState.ADDRESS_CONFIRMED, principal=principal)
    record(
        audit_events.ONBOARDING_CONFIRMED,
        principal=principal,
        target=onboarding,
        about=onboarding.contact_subject_id,
    )
    return onboarding


@transaction.atomic
def describe(onboarding_id: UUID, given: Description, *, principal: Principal) -> Onboarding:
    """Store what the partner says; once all is there, prove the domain and invite the contact.

    Raises:
        AddressNotConfirmed: that comes first.
        WrongState: it is too late.
        MemberFixed: the organisation exists and has its name.
        Invalid: a scope or a key is not accepted.
    """
    onboarding = locked(onboarding_id)
    _check_describable(onboarding, given)
    _store(onboarding, given)
    record(
        audit_events.ONBOARDING_DESCRIBED,
        principal=principal,
        target=onboarding,
        details={
            "scopes": onboarding.wanted_scopes,
            "keys": len(onboarding.jwks.get("keys", [])),
        },
    )
    if onboarding.state == OnboardingState.ADDRESS_CONFIRMED and _is_complete(onboarding):
        evidence = {"scopes": list(onboarding.wanted_scopes)}
        advance(onboarding, OnboardingState.DESCRIBED, principal=principal, evidence=evidence)
    if onboarding.state == OnboardingState.DESCRIBED:
        _prove_domain(onboarding)
    return onboarding


@transaction.atomic
def accept_terms(
    onboarding_id: UUID, *, digests: Mapping[str, str], principal: Principal, user_id: UUID
) -> Onboarding:
    """Accept the texts in force for the organisation and open its sandbox.

    The caller has asked for a step-up.

    Args:
        onboarding_id: of the principal's organisation.
        digests: of the texts the person saw.
        principal: the person.
        user_id: the person's row.

    Raises:
        WrongState: nothing is to be accepted now.
        Invalid: the texts have changed since they were shown.
    """
    onboarding = locked(onboarding_id)
    if onboarding.state != OnboardingState.DOMAIN_PROVED:
        raise WrongState(onboarding.state)
    if dict(digests) != agreements.digests():
        raise Invalid(_("The texts have changed since you opened the page. Read them again."))
    onboarding.contact_user_id = user_id
    evidence = {
        terms.code: {"version": terms.version, "digest": terms.digest}
        for terms in agreements.current_terms()
    }
    advance(onboarding, OnboardingState.AGREED, principal=principal, evidence=evidence)
    record(
        audit_events.ONBOARDING_AGREED,
        principal=principal,
        target=onboarding,
        details=_agreed_details(),
    )
    _open_sandbox(onboarding, principal=principal)
    return onboarding


@transaction.atomic
def ask_approval(onboarding_id: UUID, *, principal: Principal) -> Onboarding:
    """Ask for the live client.

    Raises:
        CertificateNeeded: the rule in force asks for it.
        WrongState: this is not the time.
    """
    onboarding = locked(onboarding_id)
    rule = queries.approval_kind(_plan_of(onboarding))
    is_early = onboarding.state == OnboardingState.SANDBOX
    if is_early and rule != ApprovalKind.STAFF_WITHOUT_CERTIFICATE:
        raise CertificateNeeded
    advance(
        onboarding,
        OnboardingState.AWAITING_APPROVAL,
        principal=principal,
        evidence={"rule": rule.value},
        rule=rule,
    )
    record(
        audit_events.ONBOARDING_SUBMITTED,
        principal=principal,
        target=onboarding,
        details={"rule": rule.value},
    )
    return onboarding


def registration_principal(onboarding: Onboarding) -> Principal:
    """Return who a registration token stands for."""
    return Principal(
        kind=ActorType.INTEGRATION,
        id=onboarding.pk,
        credential_id=onboarding.pk,
        scopes=frozenset({REGISTRATION_SCOPE}),
        label=f"onboarding {onboarding.pk}",
    )


def grantable_scopes() -> tuple[str, ...]:
    """Return the scopes a client may ask for: all but that of the registration."""
    return tuple(code for code in scopes.keys() if code != REGISTRATION_SCOPE)  # noqa: SIM118


def next_step(onboarding: Onboarding) -> NextStep | None:
    """Say what an onboarding waits for; None where it has ended."""
    state = OnboardingState(onboarding.state)
    steps = {
        OnboardingState.STARTED: NextStep(
            "confirm_address", "person", _("Open the link in the mail we sent to the address.")
        ),
        OnboardingState.ADDRESS_CONFIRMED: NextStep(
            "describe",
            "partner",
            _("Send organisation_name, contact_name, purpose and wanted_scopes by PATCH."),
        ),
        OnboardingState.DESCRIBED: NextStep(
            "prove_domain",
            "partner",
            _("The address is one of a public mail provider. Start again with your own domain."),
        ),
        OnboardingState.DOMAIN_PROVED: NextStep(
            "accept_terms",
            "person",
            _("The invited contact signs in with a second factor and accepts the terms."),
            f"{settings.BASE_URL}{TERMS_PATH}",
        ),
        OnboardingState.SANDBOX: NextStep(
            "ask_approval",
            "partner",
            _("Build against the sandbox, then ask for approval by POST to approval-requests."),
        ),
        OnboardingState.AWAITING_APPROVAL: NextStep(
            "wait", "staff", _("The operator's staff look at the evidence.")
        ),
        OnboardingState.LIVE: NextStep(
            "call", "partner", _("Get a token for the live client and call the API.")
        ),
        OnboardingState.SUSPENDED: NextStep(
            "wait", "staff", _("The operator has suspended this partner.")
        ),
    }
    return steps.get(state)


def _check_address(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        wrong = FieldError("/email", "invalid", _("That is no e-mail address."))
        raise Invalid(_("The request is not valid."), errors=(wrong,)) from error


def _count_start(net: str) -> None:
    verdict = take(
        f"partners.start:{net}", limit=STARTS_PER_NET, window_seconds=STARTS_WINDOW_SECONDS
    )
    if not verdict.is_allowed:
        raise TooMany(
            _("Too many onboardings were started from your network. Please wait."),
            retry_after=verdict.free_in_seconds,
        )


def _check_describable(onboarding: Onboarding, given: Description) -> None:
    if onboarding.state == OnboardingState.STARTED:
        raise AddressNotConfirmed
    if onboarding.state in _BEFORE_ORGANISATION:
        return
    if onboarding.state != OnboardingState.DOMAIN_PROVED:
        raise WrongState(onboarding.state)
    for member in ("organisation_name", "contact_name"):
        if getattr(given, member) is not None:
            raise MemberFixed(member)


def _store(onboarding: Onboarding, given: Description) -> None:
    _check_names(given)
    if given.wanted_scopes is not None:
        _check_scopes(given.wanted_scopes)
    for item in fields(given):
        value = getattr(given, item.name)
        if value is not None:
            setattr(onboarding, item.name, _stored(item.name, value))
    onboarding.version += 1
    onboarding.changed_at = clock.now()
    onboarding.warned_at = None
    onboarding.save()


def _stored(name: str, value: object) -> object:
    if name == "jwks":
        return key_sets.accepted(value)
    if isinstance(value, tuple):
        return sorted(set(value))
    return value.strip() if isinstance(value, str) else value


def _check_names(given: Description) -> None:
    """Refuse names that would write lines of their own into mails."""
    wrong = tuple(
        FieldError(f"/{member}", "not_one_line", _("Enter a text of one line."))
        for member in ("organisation_name", "contact_name", "purpose")
        if not is_one_line(getattr(given, member) or "")
    )
    wrong += _operator_s_name(given.organisation_name)
    if wrong:
        raise Invalid(_("The request is not valid."), errors=wrong)


def _operator_s_name(name: str | None) -> tuple[FieldError, ...]:
    """Refuse the operator's own name: its invitations would read as if they came from here."""
    operator = accounts.operator()
    if operator is None or organisations.sort_key(name or "") != operator.sort_key:
        return ()
    detail = _("This is the name of the operator of this portal. Enter your own.")
    return (FieldError("/organisation_name", "name_taken", detail),)


def _check_scopes(wanted: tuple[str, ...]) -> None:
    known = grantable_scopes()
    wrong = tuple(
        FieldError(
            f"/wanted_scopes/{place}", "unknown_scope", _("There is no such scope to ask for.")
        )
        for place, code in enumerate(wanted)
        if code not in known
    )
    if wrong:
        raise Invalid(_("The request is not valid."), errors=wrong)


def _is_complete(onboarding: Onboarding) -> bool:
    return bool(
        onboarding.organisation_name
        and onboarding.contact_name
        and onboarding.purpose
        and onboarding.wanted_scopes
    )


def _prove_domain(onboarding: Onboarding) -> None:
    domain = onboarding.email_domain
    if not domains.speaks_for_organisation(domain):
        return
    principal = system("partners.onboarding")
    onboarding.organisation = organisations.create(
        kind=OrganisationKind.PARTNER, name=onboarding.organisation_name, principal=principal
    )
    advance(
        onboarding,
        OnboardingState.DOMAIN_PROVED,
        principal=principal,
        evidence={"domain": domain, "proof": "mail"},
    )
    invitations.invite(
        email=onboarding.contact_email,
        organisation=onboarding.organisation,
        role=Role.objects.get(code=FIRST_ROLE, organisation__isnull=True),
        principal=principal,
        language=onboarding.language,
    )


def _agreed_details() -> dict[str, object]:
    details: dict[str, object] = {}
    for terms in agreements.current_terms():
        name = terms.code.replace("-", "_")
        details[f"{name}_version"] = terms.version
        details[f"{name}_digest"] = terms.digest
    return details


def _open_sandbox(onboarding: Onboarding, *, principal: Principal) -> None:
    onboarding.sandbox_organisation = organisations.create(
        kind=OrganisationKind.PARTNER,
        name=_("%(name)s (sandbox)") % {"name": onboarding.organisation_name[:180]},
        principal=system("partners.onboarding"),
    )
    advance(onboarding, OnboardingState.SANDBOX, principal=principal)
    clients.create(onboarding, environment=Environment.SANDBOX, principal=principal)


def _plan_of(onboarding: Onboarding) -> str:
    organisation: Organisation | None = onboarding.organisation
    return organisation.plan if organisation is not None else ""
