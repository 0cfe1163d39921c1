"""Personal data: every app declares its sources and stores (privacy.md 1).

The privacy package walks this registry for export and erasure; it knows no app above it. A model
field that no source classifies fails an architecture test.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from django_stubs_ext import StrOrPromise

from foundation.registry import Registry


class FieldClass(StrEnum):
    """Class of a column."""

    IDENTIFIER = "identifier"
    CONTACT = "contact"
    CONTENT = "content"
    BEHAVIOUR = "behaviour"
    FINANCIAL = "financial"
    SPECIAL = "special"
    SECRET = "secret"  # noqa: S105  a class of data, no secret
    LINK = "link"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The person a request is about.

    Attributes:
        user_id: row id.
        subject_id: owner of the person's data keys.
        email: present sign-in address, for tables that know people by it.
        organisation_ids: organisations of which the person is or was a member; handlers of scoped
            tables open ``organisation_scope`` for one after the other themselves.
    """

    user_id: UUID
    subject_id: UUID
    email: str
    organisation_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section of an export: rows of plain values, ready for JSON and CSV.

    Attributes:
        label: frozen label of the source.
        title: heading in the person's language.
        rows: mappings from column to a JSON value; other people appear by role only.
    """

    label: str
    title: str
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class ErasureCount:
    """What an erasure of one source does or did.

    Attributes:
        label: frozen label of the source.
        deleted: rows deleted.
        shredded: rows whose sealed values lose their key.
        kept: rows that stay.
        reason: why they stay, in words; empty where none stays.
    """

    label: str
    deleted: int = 0
    shredded: int = 0
    kept: int = 0
    reason: str = ""


class Handlers(Protocol):
    """What a source can do for a person."""

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return what is held about the person, with sealed values opened."""

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Return what an erasure would do, changing nothing."""

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Delete or pseudonymise; may be called again after a crash."""


@dataclass(frozen=True, slots=True)
class PersonalDataSource:
    """A table with its classified columns.

    Attributes:
        label: frozen name, for example ``accounts.user``.
        model: Django label, for example ``accounts.User``.
        fields: every column of the table and its class.
        subjects: paths from a row to its people; empty where the row is about nobody.
        purpose: code of the purpose.
        basis: lawful basis, article 6 GDPR, in words.
        retention: how long and what then, in words.
        recipients: who gets it, in words.
        handlers: None only where no column is personal.
        reasons: why a column is of class none, where its type would suggest otherwise.
        title: what people read instead of the label; needed wherever there are handlers.
    """

    label: str
    model: str
    fields: Mapping[str, FieldClass]
    subjects: tuple[str, ...] = ()
    purpose: str = "operation"
    basis: str = "contract"
    retention: StrOrPromise = ""
    recipients: tuple[StrOrPromise, ...] = ()
    handlers: Handlers | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    title: StrOrPromise = ""

    @property
    def shown_title(self) -> StrOrPromise:
        """Words for people; the label where the source has no title."""
        return self.title or self.label


@dataclass(frozen=True, slots=True)
class PersonalDataStore:
    """A store that is no table: cache, queue, spool, log, archive.

    Attributes:
        label: frozen name.
        holds: what it may hold, in words.
        longest_life: how long at most, in words.
    """

    label: str
    holds: str
    longest_life: str


personal_data: Registry[PersonalDataSource] = Registry(
    "personal data sources", key=lambda source: source.label
)
personal_data_stores: Registry[PersonalDataStore] = Registry(
    "personal data stores", key=lambda store: store.label
)
