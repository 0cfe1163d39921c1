"""What the key store holds about people: who owns a key, and digests of indexed values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from encryption import key_tables
from encryption.router import DEFAULT, KEYS
from encryption.types import OwnerKind
from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)

_BASIS: Final = "legal obligation (security of processing), art. 6(1)(c) and 32"
_NOBODY: Final = "kept while the installation runs; about nobody"


@dataclass(frozen=True, slots=True)
class OwnedRows:
    """Rows that an owner's erasure deletes, keys last; they mean nothing to a person.

    Attributes:
        label: frozen label of the source.
        rows: gives the rows of one person.
    """

    label: str
    rows: Callable[[DataSubject], QuerySet[Model]]

    def export(self, subject: DataSubject) -> Iterable[Section]:  # noqa: ARG002
        """Return nothing: the values themselves are exported by the tables that hold them."""
        return ()

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Return how many rows the erasure will delete."""
        return ErasureCount(self.label, deleted=self.rows(subject).count())

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Return how many rows go; ``encryption.services.erase`` deletes them, after all others.

        Destroying keys here would keep later sources from opening what they still have to say.
        """
        return self.preview(subject)


def _keys_of(subject: DataSubject) -> QuerySet[Model]:
    found = key_tables.DataKey.objects.using(KEYS).filter(
        owner_kind=OwnerKind.SUBJECT, owner_id=subject.subject_id
    )
    return QuerySet(key_tables.DataKey, query=found.query, using=KEYS)


def _digests_of(subject: DataSubject) -> QuerySet[Model]:
    found = key_tables.BlindIndexEntry.objects.using(DEFAULT).filter(
        owner_kind=OwnerKind.SUBJECT, owner=subject.subject_id
    )
    return QuerySet(key_tables.BlindIndexEntry, query=found.query, using=DEFAULT)


def _about_nobody(model: type[Model], *, secrets: frozenset[str]) -> PersonalDataSource:
    return PersonalDataSource(
        label=model._meta.label_lower,  # noqa: SLF001  Django's model API
        model=model._meta.label,  # noqa: SLF001
        fields=_classes(model, dict.fromkeys(secrets, FieldClass.SECRET)),
        basis=_BASIS,
        retention=_NOBODY,
    )


def _classes(model: type[Model], special: dict[str, FieldClass]) -> dict[str, FieldClass]:
    names = [field.name for field in model._meta.local_concrete_fields]  # noqa: SLF001
    return {name: special.get(name, FieldClass.NONE) for name in names}


_KEYS = PersonalDataSource(
    label="encryption.datakey",
    model="encryption.DataKey",
    fields=_classes(key_tables.DataKey, {"owner_id": FieldClass.LINK, "blob": FieldClass.SECRET}),
    subjects=("owner_id",),
    purpose="security",
    basis=_BASIS,
    retention=_("until its owner is erased"),
    handlers=OwnedRows("encryption.datakey", _keys_of),
    title=_("Keys that make your data readable"),
)
_DIGESTS = PersonalDataSource(
    label="encryption.blindindexentry",
    model="encryption.BlindIndexEntry",
    fields=_classes(
        key_tables.BlindIndexEntry,
        {"owner": FieldClass.LINK, "row": FieldClass.LINK, "digest": FieldClass.LINK},
    ),
    subjects=("owner",),
    purpose="security",
    basis=_BASIS,
    retention=_("until its row or owner is erased; left out of backups"),
    handlers=OwnedRows("encryption.blindindexentry", _digests_of),
    title=_("Keyed digests by which sealed values are found"),
)
_SECRETS: Final[dict[type[Model], frozenset[str]]] = {
    key_tables.Installation: frozenset(),
    key_tables.RootVersion: frozenset(),
    key_tables.KekEpoch: frozenset({"blob"}),
    key_tables.KekWrap: frozenset(),
    key_tables.EpochFloor: frozenset(),
    key_tables.IndexKey: frozenset({"blob"}),
    key_tables.SigningKey: frozenset({"blob"}),
    key_tables.SealingKey: frozenset({"sealed_private_key"}),
    key_tables.Revocation: frozenset(),
    key_tables.ErasureLedgerEntry: frozenset(),
    key_tables.ReplayLedgerEntry: frozenset(),
    key_tables.RotationRun: frozenset(),
    key_tables.KeyStoreVerification: frozenset(),
}

SOURCES: Final = (
    _KEYS,
    _DIGESTS,
    *(_about_nobody(model, secrets=secrets) for model, secrets in _SECRETS.items()),
)
