"""Purposes: why personal data is held."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from foundation.models import Entity

# Words of the shipped purposes in the reader's language; the rows hold the same in English.
SHIPPED: dict[str, tuple[StrOrPromise, StrOrPromise]] = {
    "access": (
        _("Letting you sign in, and nobody else in your name"),
        _("contract, art. 6(1)(b), and legitimate interest in security, art. 6(1)(f) GDPR"),
    ),
    "contract": (
        _("Working with partners under their contract"),
        _("contract, art. 6(1)(b) GDPR"),
    ),
    "legal_duty": (
        _("Answering people and authorities"),
        _("legal obligation, art. 6(1)(c) GDPR"),
    ),
    "operation": (
        _("Running the portal for the person's organisation"),
        _("contract, art. 6(1)(b) GDPR"),
    ),
    "security": (
        _("Keeping the portal and its data safe"),
        _("legitimate interest, art. 6(1)(f) GDPR"),
    ),
}


class Purpose(Entity):
    """A purpose that sources of personal data name by its code.

    The shipped ones come by migration; optional ones are off until a person agrees.
    """

    code = models.SlugField(max_length=60, unique=True)
    basis = models.CharField(max_length=120)
    description = models.CharField(max_length=300)
    is_optional = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.code

    @property
    def shown_description(self) -> StrOrPromise:
        """What for, in the reader's language where the purpose is shipped."""
        return SHIPPED[self.code][0] if self.code in SHIPPED else self.description

    @property
    def shown_basis(self) -> StrOrPromise:
        """Lawful basis, in the reader's language where the purpose is shipped."""
        return SHIPPED[self.code][1] if self.code in SHIPPED else self.basis
