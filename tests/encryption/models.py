"""Models of the tests: an installed app's models would have tables in the product."""

from typing import ClassVar
from uuid import uuid4

from django.db import models

from encryption.fields import (
    SealedBinaryField,
    SealedDateField,
    SealedDecimalField,
    SealedEmailField,
    SealedJSONField,
    SealedTextField,
)
from encryption.operations import ForbidKeyChange, UniqueBlindIndex
from encryption.sealed import SealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation.models import Entity
from foundation.tenancy import ModelOperation

APP = "encryption_tests"


class Person(SealedMixin, Entity):
    """A row about a person, with a note that belongs to an organisation."""

    subject_id = models.UUIDField(default=uuid4)
    organisation_id = models.UUIDField(default=uuid4)
    code = models.CharField(max_length=40, unique=True, null=True)  # noqa: DJ001  many have none
    boss = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="reports")
    name = SealedTextField(label="t.person.name", owner_kind=OwnerKind.SUBJECT, owner="subject_id")
    email = SealedEmailField(
        label="t.person.email",
        owner_kind=OwnerKind.SUBJECT,
        owner="subject_id",
        blind_index=True,
        null=True,
    )
    note = SealedTextField(
        label="t.person.note",
        owner_kind=OwnerKind.ORGANISATION,
        owner="organisation_id",
        null=True,
    )
    data = SealedJSONField(
        label="t.person.data", owner_kind=OwnerKind.SUBJECT, owner="subject_id", null=True
    )
    born = SealedDateField(
        label="t.person.born", owner_kind=OwnerKind.SUBJECT, owner="subject_id", null=True
    )
    balance = SealedDecimalField(
        label="t.person.balance", owner_kind=OwnerKind.SUBJECT, owner="subject_id", null=True
    )
    photo = SealedBinaryField(
        label="t.person.photo", owner_kind=OwnerKind.SUBJECT, owner="subject_id", null=True
    )

    objects: ClassVar[SealedManager["Person"]] = SealedManager()

    class Meta:
        app_label = APP

    def __str__(self) -> str:
        return str(self.id)


class Manager(Person):
    """A person in an inherited table."""

    title = SealedTextField(
        label="t.manager.title", owner_kind=OwnerKind.SUBJECT, owner="subject_id"
    )

    class Meta:
        app_label = APP

    def __str__(self) -> str:
        return str(self.id)


class PersonAlias(Person):
    """The same table under another name."""

    class Meta:
        app_label = APP
        proxy = True

    def __str__(self) -> str:
        return str(self.id)


class Supplier(SealedMixin, Entity):
    """Another table with a field like one of ``Person``."""

    subject_id = models.UUIDField(default=uuid4)
    name = SealedTextField(
        label="t.supplier.name", owner_kind=OwnerKind.SUBJECT, owner="subject_id"
    )

    objects: ClassVar[SealedManager["Supplier"]] = SealedManager()

    class Meta:
        app_label = APP

    def __str__(self) -> str:
        return str(self.id)


class Visit(Entity):
    """A plain row that points to a person."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")

    objects: ClassVar[models.Manager["Visit"]] = models.Manager()

    class Meta:
        app_label = APP

    def __str__(self) -> str:
        return str(self.id)


TABLES: tuple[type[models.Model], ...] = (Person, Manager, Supplier, Visit)
STEPS: tuple[tuple[type[models.Model], ModelOperation], ...] = (
    (Person, ForbidKeyChange("Person")),
    (Supplier, ForbidKeyChange("Supplier")),
    (Person, UniqueBlindIndex("Person", "email")),
)
