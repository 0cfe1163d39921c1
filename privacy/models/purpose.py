"""Purposes: why personal data is held."""

from django.db import models

from foundation.models import Entity


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
