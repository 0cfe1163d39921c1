"""Enrolment: passphrase, authenticator, recovery codes; only in the session that opened the mail.

A sign-in with the passphrase alone never opens it: whoever stole a passphrase could add a factor
of his own (identity.md 2, trap E). An abandoned enrolment goes on by a new mail.
"""

from datetime import timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import factors, queries, tokens
from accounts.audit_events import (
    ENROLMENT_COMPLETED,
    ENROLMENT_REQUESTED,
    FACTOR_ENROLLED,
    FACTOR_FAILED,
    INVITATION_REFUSED,
    RECOVERY_CODES_CONFIRMED,
    RECOVERY_CODES_MADE,
)
from accounts.errors import LinkUnusable
from accounts.models import Invitation, OneTimeLink, User
from accounts.principal import bare
from accounts.services import invitations, passphrases
from accounts.types import LinkPurpose
from audit import services as audit
from foundation import clock, leases, mail
from foundation.deferred import defer
from foundation.principals import VISITOR

LINK_LIFE = timedelta(hours=24)
SWEEP_AFTER = timedelta(seconds=30)


def may_enrol(user: User | None) -> bool:
    """Say whether an address is free, or its person has not finished the enrolment."""
    return user is None or not factors.owns_strong(user.pk)


@transaction.atomic
def begin(invitation: Invitation, *, passphrase: str, display_name: str, language: str) -> User:
    """Make the account of an invited person and the membership; both are useless until enrolled.

    Raises:
        PassphraseRefused: too short or too common.
        LinkUnusable: the invitation was used in the meantime.
    """
    passphrases.check(passphrase)
    user = queries.user_by_email(invitation.email)
    if not may_enrol(user):
        raise LinkUnusable(
            _("There is an account with this address. Sign in to accept."), why="exists"
        )
    user = user or User(email=invitation.email)
    _fill(user, passphrase=passphrase, display_name=display_name, language=language)
    _confirm_address(user)
    invitations.accept(invitation, user, principal=bare(user))
    return user


@transaction.atomic
def begin_again(link: OneTimeLink, *, passphrase: str, display_name: str, language: str) -> User:
    """Go on with an abandoned enrolment: the new mail proved the mailbox once more.

    Raises:
        PassphraseRefused: too short or too common.
        LinkUnusable: the link was used in the meantime, or the person has a factor by now.
    """
    passphrases.check(passphrase)
    locked = OneTimeLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    user = locked.user
    if user is None or not locked.is_open_at(clock.now()) or not may_enrol(user):
        raise LinkUnusable(_("This link was used already."), why="used")
    locked.used_at = clock.now()
    locked.save(update_fields=["used_at"])
    _fill(user, passphrase=passphrase, display_name=display_name, language=language)
    _confirm_address(user)
    return user


@transaction.atomic
def request_link(email: str) -> None:
    """Send a new mail to a person who has not finished; for anybody else do nothing.

    Nothing tells the two cases apart from outside.
    """
    audit.record(
        ENROLMENT_REQUESTED,
        principal=VISITOR,
        details={"identifier": audit.identifier_digest(email)},
    )
    user = queries.user_by_email(email)
    if user is None or not user.is_active or user.is_frozen or not may_enrol(user):
        return
    OneTimeLink.objects.filter(
        user=user, purpose=LinkPurpose.ENROLMENT, used_at__isnull=True
    ).update(used_at=clock.now())
    link = OneTimeLink.objects.create(
        user=user, purpose=LinkPurpose.ENROLMENT, expires_at=clock.now() + LINK_LIFE
    )
    defer("accounts.send_enrolment", link_id=link.pk)


def send_link(link_id: UUID) -> None:
    """Send the mail of an enrolment link that has not been sent; the link is made here."""
    found = OneTimeLink.objects.filter(pk=link_id)
    if not leases.take(found.filter(sent_at__isnull=True)):
        return
    link = found.select_related("user").get()
    if link.user is None or not link.is_open_at(clock.now()):
        return
    token = tokens.new_token()
    found.update(token_hash=tokens.hash_of(token))
    mail.send(
        template="accounts/enrolment",
        to=[link.user.email],
        language=link.user.language,
        context={
            "action_url": f"{settings.BASE_URL}{reverse('enrolment_link', args=[token])}",
            "hours": int(LINK_LIFE.total_seconds() // 3600),
        },
    )
    found.update(sent_at=clock.now(), lease_until=None)


def opened_link(token: str) -> OneTimeLink:
    """Return the enrolment link of a mail.

    Raises:
        LinkUnusable: unknown, used or too old; written into the journal.
    """
    link = (
        OneTimeLink.objects.select_related("user")
        .filter(purpose=LinkPurpose.ENROLMENT, token_hash=tokens.hash_of(token))
        .first()
    )
    if link is not None and link.is_open_at(clock.now()):
        return link
    why = "unknown" if link is None else "used" if link.used_at else "expired"
    audit.record(INVITATION_REFUSED, principal=VISITOR, outcome="denied", details={"why": why})
    raise LinkUnusable(_("This link is unknown, used or too old. Ask for a new mail."), why=why)


@transaction.atomic
def enrol_totp(user: User, *, secret: str, code: str) -> bool:
    """Add an authenticator that showed a right code."""
    if not factors.add_totp(user.pk, secret=secret, code=code):
        audit.record(
            FACTOR_FAILED,
            principal=bare(user),
            target=user,
            outcome="failure",
            details={"kind": "totp", "why": "enrolment", "step_up": False},
        )
        return False
    audit.record(FACTOR_ENROLLED, principal=bare(user), target=user, details={"kind": "totp"})
    return True


@transaction.atomic
def make_recovery_codes(user: User) -> tuple[str, ...]:
    """Make ten recovery codes, shown once; an older set is dead."""
    codes = factors.make_recovery_codes(user.pk)
    audit.record(
        RECOVERY_CODES_MADE, principal=bare(user), target=user, details={"count": len(codes)}
    )
    return codes


@transaction.atomic
def confirm_recovery_codes(user: User, code: str) -> bool:
    """Finish the enrolment of a person who typed one of the codes."""
    if not factors.confirm_recovery_codes(user.pk, code):
        audit.record(
            FACTOR_FAILED,
            principal=bare(user),
            target=user,
            outcome="failure",
            details={"kind": "recovery_codes", "why": "enrolment", "step_up": False},
        )
        return False
    audit.record(RECOVERY_CODES_CONFIRMED, principal=bare(user), target=user)
    audit.record(ENROLMENT_COMPLETED, principal=bare(user), target=user)
    return True


def due_links() -> list[UUID]:
    """Return the enrolment links whose mail no worker has sent, although it is time."""
    waiting = OneTimeLink.objects.filter(
        leases.is_free(),
        purpose=LinkPurpose.ENROLMENT,
        sent_at__isnull=True,
        used_at__isnull=True,
        expires_at__gt=clock.now(),
        created_at__lt=clock.now() - SWEEP_AFTER,
    )
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:50])


def _fill(user: User, *, passphrase: str, display_name: str, language: str) -> None:
    user.set_password(passphrase)
    user.display_name = display_name.strip()
    if language in dict(settings.LANGUAGES):
        user.language = language
    user.save()


def _confirm_address(user: User) -> None:
    """Note the address as confirmed: the person came by the link of a mail to it."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
