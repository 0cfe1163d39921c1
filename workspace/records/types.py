"""Words of the records app: modes, states, types of values, and what its services hand out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from encryption.cells import Fault

RecordId = NewType("RecordId", UUID)


class Visibility(TextChoices):
    """Who sees a record besides its owner (workspace.md 2)."""

    OWN = "own", _("Owner and key users")
    CHOSEN = "chosen", _("Named colleagues too")
    ORGANISATION = "organisation", _("Everybody in the organisation")
    CONFIDENTIAL = "confidential", _("Only owner and a named group")


class RecordState(TextChoices):
    """Where a record is in its life."""

    ACTIVE = "active", _("Active")
    ARCHIVED = "archived", _("Archived")


class ValueType(TextChoices):
    """Form of a field's value; each has one strict reading in ``values.py``."""

    TEXT = "text", _("Text")
    LONG_TEXT = "long_text", _("Long text")
    EMAIL = "email", _("E-mail address")
    PHONE = "phone", _("Phone number")
    IBAN = "iban", _("IBAN")
    DATE = "date", _("Date")
    COUNTRY = "country", _("Country code")


class DataClass(TextChoices):
    """Class of a field's content; the same words as privacy's field classes."""

    IDENTIFIER = "identifier", _("Identifier")
    CONTACT = "contact", _("Contact")
    CONTENT = "content", _("Content")
    FINANCIAL = "financial", _("Financial")
    SPECIAL = "special", _("Special category")
    SECRET = "secret", _("Secret")
    LINK = "link", _("Reference")


HIDDEN_CLASSES = frozenset({DataClass.SECRET, DataClass.SPECIAL})
"""Classes whose values are shown only by a reveal, with step-up and a reason."""

PERSONAL_CLASSES = frozenset({DataClass.IDENTIFIER, DataClass.CONTACT, DataClass.SPECIAL})
"""Classes that are sealed under the person's key where a record is about a person."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a kind, as code sees it.

    Attributes:
        code: name in the API and in the database.
        label: name for people, in English; translated where it is shown.
        help_text: what goes in, the format and an example, in English.
        value_type: form of the value.
        data_class: class of the content.
        purpose: why it is asked.
        is_sealed: whether the value is sealed at rest.
        is_searchable: whether an exact look-up is offered.
        is_required: whether a record needs it.
        max_length: most characters.
    """

    code: str
    label: str
    help_text: str
    value_type: ValueType
    data_class: DataClass
    purpose: str
    is_sealed: bool
    is_searchable: bool
    is_required: bool
    max_length: int

    @property
    def is_hidden(self) -> bool:
        """Whether the value is shown only by a reveal."""
        return self.data_class in HIDDEN_CLASSES


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind of record with its fields in order.

    Attributes:
        id: row id.
        code: name in the API and in addresses.
        label: name for people, in English.
        title_field: field whose value names a record in lists.
        is_about_person: whether personal fields are sealed under a person's own key.
        fields: in the order of forms.
    """

    id: UUID
    code: str
    label: str
    title_field: str
    is_about_person: bool
    fields: tuple[FieldSpec, ...]

    def field(self, code: str) -> FieldSpec | None:
        """Return a field by its code, or None."""
        return next((field for field in self.fields if field.code == code), None)

    def seals_to_person(self, field: FieldSpec) -> bool:
        """Say whether a field's value is sealed under the key of the person it is about."""
        return self.is_about_person and field.data_class in PERSONAL_CLASSES


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of one record as its reader may see it.

    Attributes:
        spec: the field.
        value: the value; None where there is none, it is hidden or cannot be opened.
        is_set: whether there is a value.
        is_hidden: a reveal is needed to see it.
        fault: why it cannot be opened.
    """

    spec: FieldSpec
    value: str | None
    is_set: bool
    is_hidden: bool = False
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as its reader may see it, frozen: nothing more can be opened from it."""

    id: UUID
    kind: KindSpec
    title: str
    visibility: Visibility
    state: RecordState
    version: int
    owner_id: UUID | None
    owner_client_id: UUID | None
    created_at: datetime
    updated_at: datetime
    fields: tuple[FieldView, ...]

    @property
    def values(self) -> dict[str, str]:
        """The values that are shown, by field code."""
        return {view.spec.code: view.value for view in self.fields if view.value is not None}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as lists show it."""

    id: UUID
    kind_code: str
    title: str
    visibility: Visibility
    state: RecordState
    version: int
    is_own: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One line of a record's history.

    Attributes:
        number: version that was made.
        changed_at: when.
        actor: who, by role or name.
        fields: codes of the fields that changed.
        visibility: mode from this version on.
    """

    number: int
    changed_at: datetime
    actor: str
    fields: tuple[str, ...]
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What a list is narrowed to; empty members narrow nothing."""

    kind: str = ""
    visibility: str = ""
    owner: str = ""
    iban: str = ""


Values = Mapping[str, str]
"""Values by field code; an empty text takes a value away."""
