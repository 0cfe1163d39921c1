"""The verdict of django-otp: by what kind of factor a session was verified."""

from typing import ClassVar

from django.db import models
from django_otp.models import Device, DeviceManager

from accounts.types import FactorKind
from foundation.models import Entity


class SessionFactor(Entity, Device):  # type: ignore[misc]  # django-otp ships no types
    """One row per person and kind; a session points to the row that verified it.

    Deleting the row un-verifies every session that rests on it.
    """

    objects: ClassVar[models.Manager["SessionFactor"]] = DeviceManager()

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=FactorKind.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="accounts_session_factor_once"),
        ]

    def __str__(self) -> str:
        return f"session factor {self.pk}"

    @property
    def persistent_id(self) -> str:
        """Return the id with the key as a number.

        django-otp casts the id by ``int()`` and swallows the error (1.7.5, models.py:160): with
        the UUID written out, nobody would ever be verified.
        """
        return f"{self.model_label()}/{self.pk.int}"
