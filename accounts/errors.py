"""What goes wrong with people, invitations and codes."""

from http import HTTPStatus

from foundation.errors import Conflict, Denied, Invalid


class LinkUnusable(Denied):
    """An invitation or other link is unknown, used, withdrawn or too old."""

    code = "accounts.link_unusable"
    status = HTTPStatus.GONE

    def __init__(self, message: str, *, why: str) -> None:
        super().__init__(message)
        self.why = why


class InvitationForeign(Denied):
    """An invitation belongs to somebody else than the person signed in."""

    code = "accounts.invitation_foreign"


class AboveCeiling(Denied):
    """A role that the actor or the organisation may not hand out."""

    code = "accounts.above_ceiling"


class LastAdministrator(Conflict):
    """An organisation would lose its last administrator."""

    code = "accounts.last_administrator"


class TooManyInvitations(Conflict):
    """An organisation has sent as many invitations in a day as it may."""

    code = "accounts.too_many_invitations"


class AlreadyMember(Conflict):
    """The person is a member already."""

    code = "accounts.already_member"


class PassphraseRefused(Invalid):
    """The passphrase is too short, too common, or wrong."""

    code = "accounts.passphrase_refused"


class SetUpClosed(Conflict):
    """There is an administrator already."""

    code = "accounts.set_up_closed"
