"""What makes a long passphrase guessable all the same (NIST SP 800-63B-4, 3.1.1.2: block lists)."""

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FEWEST_CHARACTERS = 5


class GuessableValidator:
    """Refuses repeated common passwords and a handful of characters over and over."""

    def __init__(self) -> None:
        self._common: set[str] = CommonPasswordValidator().passwords

    def validate(self, password: str, user: object = None) -> None:  # noqa: ARG002  Django's signature
        """Let a passphrase pass.

        Raises:
            ValidationError: it is easy to guess although it is long.
        """
        plain = password.casefold()
        letters = "".join(sign for sign in plain if sign.isalnum())
        few = len(set(plain)) < FEWEST_CHARACTERS
        if few or _unit(plain) in self._common or _unit(letters) in self._common:
            raise ValidationError(
                _("This passphrase repeats something easy. Put several different words in a row."),
                code="guessable",
            )

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return _("It must not repeat one easy word.")


def _unit(text: str) -> str:
    """Return the shortest part of which a text is a repetition."""
    for size in range(1, len(text) // 2 + 1):
        if len(text) % size == 0 and text[:size] * (len(text) // size) == text:
            return text[:size]
    return text
