"""Mails to people, sent by workers, and the sweep that finds forgotten ones."""

from uuid import UUID

from accounts.services import housekeeping, invitations, notices, signup
from foundation.deferred import defer, task


@task(name="accounts.send_invitation", queue="mail", purpose="Send an invitation")
def send_invitation(invitation_id: str) -> None:
    """Send the mail of an invitation."""
    invitations.send(UUID(invitation_id))


@task(name="accounts.send_enrolment", queue="mail", purpose="Send a link to finish an enrolment")
def send_enrolment(link_id: str) -> None:
    """Send the mail of an enrolment link."""
    signup.send_link(UUID(link_id))


@task(name="accounts.send_notice", queue="mail", purpose="Tell a person about the account")
def send_notice(notice_id: str) -> None:
    """Send a security notice."""
    notices.send(UUID(notice_id))


def sweep() -> bool:
    """Defer once more what is due and was forgotten; a loop calls it."""
    for invitation_id in invitations.due():
        defer("accounts.send_invitation", invitation_id=invitation_id)
    for link_id in signup.due_links():
        defer("accounts.send_enrolment", link_id=link_id)
    for notice_id in notices.due():
        defer("accounts.send_notice", notice_id=notice_id)
    return False


def prune() -> bool:
    """Delete what is past its time; a loop calls it."""
    housekeeping.prune()
    return False
