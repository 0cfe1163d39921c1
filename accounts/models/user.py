"""The person who can sign in, and the addresses that get security notices."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.types import Theme
from encryption.cells import cell
from encryption.fields import SealedEmailField, SealedTextField
from encryption.sealed import SealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation import clock
from foundation.identifiers import uuid7
from foundation.models import Entity


class UserManager(SealedManager["User"], BaseUserManager["User"]):
    """Finds people by their lower-cased address and makes them without any right."""

    use_in_migrations = True

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address as it is stored: stripped and lower-cased."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person of an address, however it is written.

        Raises:
            User.DoesNotExist: there is none.
        """
        return self.get(email=self.normalize_email(username))

    def create_user(
        self, email: str, *, password: str | None = None, display_name: str = ""
    ) -> "User":
        """Make a person without membership; None as password makes it unusable."""
        user = self.model(email=self.normalize_email(email), display_name=display_name)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(SealedMixin, AbstractBaseUser, PermissionsMixin, Entity):
    """A person who can sign in.

    ``subject_id`` owns the person's data keys and is the subject of journal entries; it is
    replaced when an erased person comes back. ``email`` stays plain for look-up. What a person
    may do comes from memberships alone: ``is_superuser`` and groups give nothing.
    """

    subject_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True, max_length=254)
    display_name = SealedTextField(
        label="accounts.user.display_name",
        owner_kind=OwnerKind.SUBJECT,
        owner="subject_id",
        null=True,
        blank=True,
    )
    language = models.CharField(max_length=8, default="en")
    theme = models.CharField(max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    frozen_at = models.DateTimeField(null=True, blank=True)
    security_epoch = models.PositiveIntegerField(default=1)
    home_organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="accounts_user_email_lower"
            ),
        ]

    def __str__(self) -> str:
        return f"user {self.pk}"

    @property
    def shown_name(self) -> str:
        """The name by which others see the person; the address where there is none to read."""
        return str(cell(self, "display_name").value or self.email)

    @property
    def is_frozen(self) -> bool:
        """Whether the account is locked until its owner proves himself."""
        return self.frozen_at is not None

    def clean(self) -> None:
        """Lower-case the address before it is checked."""
        self.email = type(self).objects.normalize_email(self.email)

    def get_session_auth_hash(self) -> str:
        """Bind sessions to password and security epoch: a raised epoch ends old cookies."""
        return f"{self.security_epoch}.{super().get_session_auth_hash()}"


class NotificationAddress(SealedMixin, Entity):
    """An address that gets security notices beside the one for sign-in."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notification_addresses")
    subject_id = models.UUIDField(editable=False)
    address = SealedEmailField(
        label="accounts.notification_address.address",
        owner_kind=OwnerKind.SUBJECT,
        owner="subject_id",
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[SealedManager["NotificationAddress"]] = SealedManager()

    def __str__(self) -> str:
        return f"notification address {self.pk}"
