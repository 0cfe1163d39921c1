"""Errors of the partners' way in; codes are stable and listed in the API's problem pages."""

from django.utils.translation import gettext as _

from foundation.errors import Conflict, Denied, DomainError, Invalid, NotFound


class WrongState(Conflict):
    """The onboarding is not where this step starts."""

    code = "onboarding_state"

    def __init__(self, state: str) -> None:
        super().__init__(
            _("This step is not possible while the onboarding is in the state “%(state)s”.")
            % {"state": state}
        )
        self.state = state


class AddressNotConfirmed(Conflict):
    """Nothing may be described before the address is confirmed."""

    code = "address_not_confirmed"

    def __init__(self) -> None:
        super().__init__(_("Open the link in the mail we sent you and confirm the address first."))


class MemberFixed(Conflict):
    """Name and contact cannot change once the organisation exists."""

    code = "member_fixed"

    def __init__(self, member: str) -> None:
        super().__init__(
            _("“%(member)s” can no longer be changed here: the organisation exists.")
            % {"member": member}
        )


class CertificateNeeded(Conflict):
    """The rule in force asks for a certificate first."""

    code = "certificate_needed"

    def __init__(self) -> None:
        super().__init__(_("The rule of this installation asks for a certificate first."))


class LinkNotValid(NotFound):
    """A link from a mail that opens nothing (any more)."""

    code = "link_not_valid"


class ReasonNeeded(Invalid):
    """A decision without its reason."""

    code = "reason_needed"


class TooManySecrets(Conflict):
    """Two secrets live already."""

    code = "too_many_secrets"


class KeyClient(Conflict):
    """A client with its own key has no secret."""

    code = "client_has_own_key"


class KeysNotAccepted(Invalid):
    """A key set that we do not take; ``errors`` says which member and why."""

    code = "keys_not_accepted"


class AuthenticationRefused(DomainError):
    """A client did not prove who it is.

    The reason goes to the journal alone; the caller learns ``invalid_client``.
    """

    code = "client_refused"
    status = 401


class ClientNotUsable(Denied):
    """The client is disabled, revoked or past its end."""

    code = "client_not_usable"
