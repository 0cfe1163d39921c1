"""What the vault refuses, in words for the person who meets it."""

from typing import ClassVar

from django.utils.translation import gettext as _

from foundation.errors import Conflict, DomainError, Invalid, NotFound


class CredentialNotFound(NotFound):
    """There is no such credential, or not for this principal."""

    code = "vault.not_found"

    def __init__(self) -> None:
        super().__init__(_("This credential does not exist, or you cannot see it."))


class CredentialInvalid(Invalid):
    """Something about a credential has not the form that is asked for."""

    code = "vault.invalid"


class NotUsable(Conflict):
    """The credential is disabled, destroyed or has no active version."""

    code = "vault.not_usable"

    def __init__(self) -> None:
        super().__init__(_("This credential cannot be used: it is disabled or destroyed."))


class LeaseEnded(Conflict):
    """The lease of a session ended: its time is over, or the credential was cut off."""

    code = "vault.lease_ended"

    def __init__(self) -> None:
        super().__init__(_("The use of this credential was ended."))


class PayloadForeign(DomainError):
    """A payload does not open for this credential, version and list of hosts."""

    code: ClassVar[str] = "vault.payload_foreign"
    status: ClassVar[int] = 500


class SessionMisused(DomainError):
    """A session was opened inside a database transaction: a fault of the code."""

    code: ClassVar[str] = "vault.session_misused"
    status: ClassVar[int] = 500
