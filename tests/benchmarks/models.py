"""Tables of the benchmarks: the same rows plain, sealed, and sealed by a rival.

The app of these models is not installed: their tables exist in the benchmark's database alone.
"""

from typing import ClassVar, cast
from uuid import UUID, uuid4

from django.db import models
from encrypted_fields.fields import EncryptedTextField

from encryption.fields import SealedEmailField, SealedTextField
from encryption.sealed import SealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation.models import Entity
from foundation.tenancy import ScopedManager

APP = "benchmarks"

ORGANISATION = OwnerKind.ORGANISATION
SUBJECT = OwnerKind.SUBJECT


class Owned(Entity):
    """Columns that every contestant has in clear: whose row it is."""

    organisation_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(default=uuid4)
    subject_id: "models.UUIDField[UUID, UUID]" = models.UUIDField(default=uuid4)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.id)


class PlainPerson(Owned):
    """The floor: plain text, the e-mail address indexed."""

    name = models.TextField()
    email = models.TextField(db_index=True)
    phone = models.TextField()
    iban = models.TextField()
    note = models.TextField()

    objects: ClassVar[models.Manager["PlainPerson"]] = models.Manager()

    class Meta:
        app_label = APP


class SealedByOrganisation(SealedMixin, Owned):
    """Sealed under the organisation's key."""

    name = SealedTextField(label="b.o.name", owner_kind=ORGANISATION, owner="organisation_id")
    email = SealedEmailField(
        label="b.o.email", owner_kind=ORGANISATION, owner="organisation_id", blind_index=True
    )
    phone = SealedTextField(label="b.o.phone", owner_kind=ORGANISATION, owner="organisation_id")
    iban = SealedTextField(label="b.o.iban", owner_kind=ORGANISATION, owner="organisation_id")
    note = SealedTextField(label="b.o.note", owner_kind=ORGANISATION, owner="organisation_id")

    objects: ClassVar[SealedManager["SealedByOrganisation"]] = SealedManager()

    class Meta:
        abstract = True


class OneKeyPerson(SealedByOrganisation):
    """All rows belong to one organisation."""

    class Meta:
        app_label = APP


class OrganisationPerson(SealedByOrganisation):
    """The rows belong to many organisations."""

    class Meta:
        app_label = APP


class SubjectPerson(SealedMixin, Owned):
    """Sealed under the key of the person the row is about: one key per row."""

    name = SealedTextField(label="b.s.name", owner_kind=SUBJECT, owner="subject_id")
    email = SealedEmailField(
        label="b.s.email", owner_kind=SUBJECT, owner="subject_id", blind_index=True
    )
    phone = SealedTextField(label="b.s.phone", owner_kind=SUBJECT, owner="subject_id")
    iban = SealedTextField(label="b.s.iban", owner_kind=SUBJECT, owner="subject_id")
    note = SealedTextField(label="b.s.note", owner_kind=SUBJECT, owner="subject_id")

    objects: ClassVar[SealedManager["SubjectPerson"]] = SealedManager()

    class Meta:
        app_label = APP


class FernetPerson(Owned):
    """The rival: django-fernet-encrypted-fields, which has one key and no index."""

    name = EncryptedTextField()
    email = EncryptedTextField()
    phone = EncryptedTextField()
    iban = EncryptedTextField()
    note = EncryptedTextField()

    objects: ClassVar[models.Manager["FernetPerson"]] = models.Manager()

    class Meta:
        app_label = APP


class Account(Owned):
    """A row of business data under row-level security."""

    code = models.TextField(db_index=True)
    balance = models.IntegerField(default=0)
    note = models.TextField()

    objects: ClassVar[ScopedManager["Account"]] = cast("ScopedManager[Account]", ScopedManager())

    class Meta:
        app_label = APP
        indexes: ClassVar = [
            models.Index(fields=("organisation_id", "code"), name="bench_account_list")
        ]


class OpenAccount(Owned):
    """The same row without row-level security; its queries name the organisation too."""

    code = models.TextField(db_index=True)
    balance = models.IntegerField(default=0)
    note = models.TextField()

    objects: ClassVar[ScopedManager["OpenAccount"]] = cast(
        "ScopedManager[OpenAccount]", ScopedManager()
    )

    class Meta:
        app_label = APP
        indexes: ClassVar = [
            models.Index(fields=("organisation_id", "code"), name="bench_open_account_list")
        ]


class PlainRecord(Owned):
    """A company as a plain application keeps it: one row, all values in columns of their own."""

    kind = models.TextField()
    state = models.TextField()
    visibility = models.TextField()
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    legal_name = models.TextField()
    country = models.TextField()
    account_holder = models.TextField()
    iban = models.TextField()
    phone = models.TextField()

    objects: ClassVar[models.Manager["PlainRecord"]] = models.Manager()

    class Meta:
        app_label = APP
        indexes: ClassVar = [
            models.Index(
                fields=("organisation_id", "-updated_at", "-id"), name="bench_plain_record_list"
            )
        ]
