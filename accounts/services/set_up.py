"""The first administrator: a code of one hour makes operator organisation and invitation."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import queries, tokens
from accounts.audit_events import SET_UP_REFUSED, SET_UP_STARTED
from accounts.errors import LinkUnusable, SetUpClosed
from accounts.models import OneTimeLink, Role, User
from accounts.services import invitations, organisations
from accounts.types import LinkPurpose, OrganisationKind
from audit import services as audit
from foundation import clock
from foundation.principals import VISITOR, system

LIFE = timedelta(hours=1)
PRINCIPAL = system("accounts.set_up")


def is_first_start() -> bool:
    """Say whether nobody was ever invited and no set-up code was ever made."""
    codes = OneTimeLink.objects.filter(purpose=LinkPurpose.SET_UP)
    return not User.objects.exists() and not codes.exists()


@transaction.atomic
def make_code() -> str:
    """Return a new set-up code; older ones die.

    Raises:
        SetUpClosed: there is an administrator already.
    """
    if queries.has_administrator():
        raise SetUpClosed(_("There is an administrator already."))
    moment = clock.now()
    OneTimeLink.objects.filter(purpose=LinkPurpose.SET_UP, used_at__isnull=True).update(
        used_at=moment
    )
    code = tokens.new_token()
    OneTimeLink.objects.create(
        purpose=LinkPurpose.SET_UP, token_hash=tokens.hash_of(code), expires_at=moment + LIFE
    )
    return code


def opened(code: str) -> OneTimeLink:
    """Return the set-up that a code opens.

    Raises:
        LinkUnusable: unknown, used or too old, or there is an administrator; on the record.
    """
    link = OneTimeLink.objects.filter(
        purpose=LinkPurpose.SET_UP, token_hash=tokens.hash_of(code)
    ).first()
    why = _why_not(link)
    if link is None or why:
        audit.record(SET_UP_REFUSED, principal=VISITOR, outcome="denied", details={"why": why})
        raise LinkUnusable(
            _("This set-up code is unknown, used or older than one hour. Make a new one."),
            why=why,
        )
    return link


@transaction.atomic
def begin(code: str, *, organisation_name: str, email: str, language: str) -> str:
    """Make the operator and invite its first administrator; returns the invitation's address.

    The link is shown instead of mailed: mail may not work yet.

    Raises:
        LinkUnusable: the code was used in the meantime.
    """
    link = opened(code)
    locked = OneTimeLink.objects.select_for_update().get(pk=link.pk)
    if not locked.is_open_at(clock.now()):
        raise LinkUnusable(_("This set-up code was used already."), why="used")
    locked.used_at = clock.now()
    locked.save(update_fields=["used_at"])
    organisation = queries.operator() or organisations.create(
        kind=OrganisationKind.OPERATOR, name=organisation_name, principal=PRINCIPAL
    )
    invitation = invitations.invite(
        email=email,
        organisation=organisation,
        role=Role.objects.get(code="administrator", is_system=True),
        principal=PRINCIPAL,
        language=language,
        by_mail=False,
    )
    audit.record(
        SET_UP_STARTED, principal=PRINCIPAL, target=organisation, organisation=organisation.pk
    )
    return invitations.issue_link(invitation)


def _why_not(link: OneTimeLink | None) -> str:
    if link is None:
        return "unknown"
    if link.used_at is not None:
        return "used"
    if not link.is_open_at(clock.now()):
        return "expired"
    return "closed" if queries.has_administrator() else ""
