"""Invitations: made by members, sent by a worker, accepted once, by the person they are for."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import queries, tokens
from accounts.audit_events import (
    INVITATION_ACCEPTED,
    INVITATION_REFUSED,
    INVITATION_SENT,
    INVITATION_WITHDRAWN,
)
from accounts.errors import (
    AlreadyMember,
    InvitationForeign,
    LinkUnusable,
    TooManyInvitations,
)
from accounts.models import Invitation, Membership, Organisation, Role, User
from accounts.services import memberships
from accounts.types import MembershipSource
from audit import services as audit
from encryption.cells import cell
from foundation import clock, leases, mail
from foundation.deferred import defer
from foundation.errors import NotFound
from foundation.principals import VISITOR, Principal

LIFE = timedelta(days=7)
MOST_A_DAY = 100
SWEEP_AFTER = timedelta(seconds=30)


@transaction.atomic
def invite(
    *,
    email: str,
    organisation: Organisation,
    role: Role,
    principal: Principal,
    language: str = "en",
    by_mail: bool = True,
) -> Invitation:
    """Invite an address to an organisation; the mail goes out after the commit.

    An older open invitation of the same address is withdrawn. Without mail the caller shows the
    address that :func:`issue_link` gives.

    Raises:
        AboveCeiling: the role is above what the actor or the organisation may hand out.
        AlreadyMember: the person is a member already.
        TooManyInvitations: a member sends more than 100 in a day: mails in our name to strangers.
    """
    _stay_within_limit(organisation, principal)
    address = User.objects.normalize_email(email)
    memberships.check_role(organisation, role, principal=principal)
    person = queries.user_by_email(address)
    if person is not None and queries.is_member(person.pk, organisation.pk):
        raise AlreadyMember(_("This person is a member of the organisation already."))
    queries.open_invitations_of(organisation.pk).filter(email=address).update(
        withdrawn_at=clock.now()
    )
    invitation = Invitation.objects.create(
        email=address,
        organisation=organisation,
        role=role,
        inviter_id=principal.id if principal.subject_id else None,
        language=language,
        expires_at=clock.now() + LIFE,
        sent_at=None if by_mail else clock.now(),
    )
    audit.record(
        INVITATION_SENT,
        principal=principal,
        target=invitation,
        organisation=organisation.pk,
        details={"role": role.code, "identifier": audit.identifier_digest(address)},
    )
    if by_mail:
        defer("accounts.send_invitation", invitation_id=invitation.pk)
    return invitation


def send(invitation_id: UUID) -> None:
    """Send the mail of an invitation that has not been sent; its link is made here."""
    found = Invitation.objects.filter(pk=invitation_id)
    if not leases.take(found.filter(sent_at__isnull=True)):
        return
    invitation = found.select_related("organisation", "inviter", "role").get()
    if not invitation.is_open_at(clock.now()):
        return
    link = issue_link(invitation)
    mail.send(
        template="accounts/invitation",
        to=[invitation.email],
        language=invitation.language,
        context={
            "organisation": invitation.organisation.name,
            "inviter": inviter_name(invitation),
            "role": invitation.role.title,
            "action_url": link,
            "days": LIFE.days,
        },
    )
    found.update(sent_at=clock.now(), lease_until=None)


def issue_link(invitation: Invitation) -> str:
    """Return the absolute address of a new link; an older link of the invitation dies."""
    token = tokens.new_token()
    Invitation.objects.filter(pk=invitation.pk).update(token_hash=tokens.hash_of(token))
    return f"{settings.BASE_URL}{reverse('invitation', args=[token])}"


@transaction.atomic
def resend(invitation_id: UUID, *, organisation_id: UUID, principal: Principal) -> None:
    """Send an open invitation once more, with a new link and a new week.

    Raises:
        NotFound: no such open invitation there.
    """
    invitation = _open_one(invitation_id, organisation_id)
    invitation.sent_at = None
    invitation.expires_at = clock.now() + LIFE
    invitation.save(update_fields=["sent_at", "expires_at"])
    audit.record(
        INVITATION_SENT,
        principal=principal,
        target=invitation,
        organisation=organisation_id,
        details={
            "role": invitation.role.code,
            "identifier": audit.identifier_digest(invitation.email),
        },
    )
    defer("accounts.send_invitation", invitation_id=invitation.pk)


@transaction.atomic
def withdraw(invitation_id: UUID, *, organisation_id: UUID, principal: Principal) -> None:
    """Take an open invitation back.

    Raises:
        NotFound: no such open invitation there.
    """
    invitation = _open_one(invitation_id, organisation_id)
    invitation.withdrawn_at = clock.now()
    invitation.save(update_fields=["withdrawn_at"])
    audit.record(
        INVITATION_WITHDRAWN,
        principal=principal,
        target=invitation,
        organisation=organisation_id,
    )


def opened(token: str) -> Invitation:
    """Return the invitation that a link opens.

    Raises:
        LinkUnusable: unknown, used, withdrawn or too old; written into the journal.
    """
    invitation = (
        Invitation.objects.select_related("organisation", "role", "inviter")
        .filter(token_hash=tokens.hash_of(token))
        .first()
    )
    if invitation is None:
        raise _refused(None, "unknown", _("This invitation is not known. It may be an old one."))
    if invitation.accepted_at is not None:
        raise _refused(
            invitation, "used", _("This invitation was used already. Sign in with your account.")
        )
    if invitation.withdrawn_at is not None:
        raise _refused(invitation, "withdrawn", _("This invitation was withdrawn."))
    if not invitation.is_open_at(clock.now()):
        raise _refused(invitation, "expired", _("This invitation is too old. Ask for a new one."))
    return invitation


@transaction.atomic
def accept(invitation: Invitation, user: User, *, principal: Principal) -> Membership:
    """Make the person an invitation is for a member of its organisation, once.

    Raises:
        InvitationForeign: it is for another address.
        LinkUnusable: it was used in the meantime.
        AlreadyMember: the person is a member already.
    """
    locked = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("organisation", "role")
        .get(pk=invitation.pk)
    )
    if locked.email != user.email:
        refuse_foreign(locked, principal=principal)
    if not locked.is_open_at(clock.now()):
        raise _refused(locked, "used", _("This invitation was used already."))
    locked.accepted_at = clock.now()
    locked.accepted_by = user
    locked.save(update_fields=["accepted_at", "accepted_by"])
    audit.record(
        INVITATION_ACCEPTED,
        principal=principal,
        target=locked,
        organisation=locked.organisation_id,
        about=user.subject_id,
        details={"role": locked.role.code},
    )
    return memberships.create(
        user,
        locked.organisation,
        locked.role,
        principal=principal,
        source=MembershipSource.INVITATION,
        granted_by=locked.inviter_id,
    )


def refuse_foreign(invitation: Invitation, *, principal: Principal) -> None:
    """Refuse an invitation to somebody it is not for.

    Raises:
        InvitationForeign: always.
    """
    audit.record(
        INVITATION_REFUSED,
        principal=principal,
        target=invitation,
        organisation=invitation.organisation_id,
        outcome="denied",
        details={"why": "foreign"},
    )
    raise InvitationForeign(
        _("This invitation is for another person. Sign out first, then open the link again.")
    )


def inviter_name(invitation: Invitation) -> str:
    """Return the name of who invited, empty where that was the system."""
    return str(cell(invitation.inviter, "display_name").value or "") if invitation.inviter else ""


def due() -> list[UUID]:
    """Return the invitations whose mail no worker has sent, although it is time."""
    waiting = Invitation.objects.filter(
        leases.is_free(),
        sent_at__isnull=True,
        accepted_at__isnull=True,
        withdrawn_at__isnull=True,
        expires_at__gt=clock.now(),
        created_at__lt=clock.now() - SWEEP_AFTER,
    )
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:50])


def _stay_within_limit(organisation: Organisation, principal: Principal) -> None:
    if principal.subject_id is None or principal.is_staff:
        return
    since = clock.now() - timedelta(days=1)
    sent = Invitation.objects.filter(organisation=organisation, created_at__gt=since).count()
    if sent >= MOST_A_DAY:
        raise TooManyInvitations(
            _("Your organisation has sent 100 invitations in a day. Please go on tomorrow.")
        )


def _open_one(invitation_id: UUID, organisation_id: UUID) -> Invitation:
    invitation = (
        queries.open_invitations_of(organisation_id)
        .select_for_update(of=("self",))
        .filter(pk=invitation_id)
        .first()
    )
    if invitation is None:
        raise NotFound(_("There is no such invitation."))
    return invitation


def _refused(invitation: Invitation | None, why: str, message: str) -> LinkUnusable:
    audit.record(
        INVITATION_REFUSED,
        principal=VISITOR,
        target=invitation,
        organisation=invitation.organisation_id if invitation else None,
        outcome="denied",
        details={"why": why},
    )
    return LinkUnusable(message, why=why)
