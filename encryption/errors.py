"""Errors of the key store and of sealed values.

They are apart for a reason: what was erased, what was lost, what was tampered with and what is only
away for a moment call for four different acts, and none may look like another.
"""

from http import HTTPStatus

from foundation.errors import DomainError, Invalid, Unavailable


class Placed:
    """Where a value stands that cannot be opened or sealed; never what it is.

    Attributes:
        label: frozen label of its field.
        row: key of its row.
    """

    label: str = ""
    row: str = ""

    # Templates show nothing in its place, and the rest of the page (Django reads this).
    silent_variable_failure = True


class KeysUnavailable(Unavailable):
    """The key service or the keys database does not answer: try again later."""

    code = "encryption.keys_unavailable"


class Refused(KeysUnavailable):
    """The key service refuses our key: disabled, revoked, or not the key of this installation."""

    code = "encryption.refused"


class Unreadable(Placed, DomainError):
    """A stored value that will not become readable by waiting."""

    code = "encryption.unreadable"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class Tampered(Unreadable):
    """The value is not the one that was sealed for this row, field and owner."""

    code = "encryption.tampered"


class KeyLost(Unreadable):
    """The key of the value is not in the keys database, and nobody erased its owner."""

    code = "encryption.key_lost"


class Erased(Placed, DomainError):
    """The owner's keys were destroyed on purpose; the value is gone for good."""

    code = "encryption.erased"
    status = HTTPStatus.GONE


class NotStorable(Placed, Invalid):
    """The value cannot be stored as its field would have to; the code says why."""

    code = "encryption.not_storable"
