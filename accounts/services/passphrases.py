"""Passphrases: at least 15 characters, none that everybody uses, no other rules."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.audit_events import PASSWORD_CHANGED
from accounts.errors import PassphraseRefused
from accounts.models import User
from accounts.services import notices, sessions
from accounts.types import NoticeKind, SessionEnd
from audit import services as audit
from foundation.errors import FieldError
from foundation.principals import Principal


def check(passphrase: str) -> None:
    """Let a new passphrase pass.

    Raises:
        PassphraseRefused: too short, or on the list of common ones; ``errors`` says which.
    """
    try:
        validate_password(passphrase)
    except ValidationError as error:
        raise PassphraseRefused(
            _("Choose another passphrase."),
            errors=tuple(
                FieldError("/passphrase", "passphrase", message) for message in error.messages
            ),
        ) from error


@transaction.atomic
def change(user: User, *, old: str, new: str, request: HttpRequest, principal: Principal) -> None:
    """Change a passphrase: all other sessions end, this one goes on under a new key.

    Raises:
        PassphraseRefused: the old one is wrong, or the new one is refused.
    """
    if not user.check_password(old):
        raise PassphraseRefused(
            _("The present passphrase is wrong."),
            errors=(FieldError("/old", "wrong", _("This is not your present passphrase.")),),
        )
    check(new)
    user.set_password(new)
    user.security_epoch += 1
    user.save(update_fields=["password", "security_epoch"])
    sessions.carry_on(request, user)
    sessions.end_others(
        user, keep=request.session, principal=principal, why=SessionEnd.PASSWORD_CHANGED
    )
    audit.record(PASSWORD_CHANGED, principal=principal, target=user)
    notices.tell(user, NoticeKind.PASSWORD_CHANGED)
