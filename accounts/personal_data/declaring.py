"""Handlers and short forms of the declarations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from accounts.models import Membership, User
from encryption.cells import cell
from foundation import clock
from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)

NONE = FieldClass.NONE
LINK = FieldClass.LINK
CONTACT = FieldClass.CONTACT
SECRET = FieldClass.SECRET
BEHAVIOUR = FieldClass.BEHAVIOUR
IDENTIFIER = FieldClass.IDENTIFIER
CONTENT = FieldClass.CONTENT

Find = Callable[[DataSubject], Q]
ERASED_DOMAIN = "erased.invalid"


@dataclass(frozen=True)
class Rows:
    """Handlers of a table whose rows about a person are exported and then deleted.

    Attributes:
        label: label of the source.
        title: heading of the section.
        rows: all rows of the table.
        find: condition that picks the rows of a person.
        columns: what an export holds; never a secret.
    """

    label: str
    title: StrOrPromise
    rows: Callable[[], "QuerySet[Model]"]
    find: Find
    columns: Sequence[str]

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the person's rows."""
        found = self.rows().filter(self.find(subject))
        rows = tuple(_row(row, self.columns) for row in found.iterator(chunk_size=500))
        return [Section(label=self.label, title=str(self.title), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count what would be deleted."""
        return ErasureCount(
            label=self.label, deleted=self.rows().filter(self.find(subject)).count()
        )

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Delete the person's rows."""
        deleted, _by_model = self.rows().filter(self.find(subject)).delete()
        return ErasureCount(label=self.label, deleted=deleted)


class Account:
    """Handlers of the account: its row stays as a shell without a name, for what points to it."""

    label = "accounts.user"
    title = _("Your account")
    kept = _("The row stays without name and address: other rows point to it")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the account."""
        columns = ("email", "display_name", "language", "theme", "created_at", "last_login")
        rows = tuple(_row(user, columns) for user in User.objects.filter(pk=subject.user_id))
        return [Section(label=self.label, title=str(self.title), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Say that the shell stays."""
        count = User.objects.filter(pk=subject.user_id).count()
        return ErasureCount(label=self.label, shredded=count, kept=count, reason=str(self.kept))

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Take name, address and passphrase, and close the account."""
        for user in User.objects.filter(pk=subject.user_id):
            user.email = f"{user.pk}@{ERASED_DOMAIN}"
            user.display_name = None
            user.set_unusable_password()
            user.is_active = False
            user.is_staff = False
            user.last_login = None
            user.security_epoch += 1
            user.save()
        return self.preview(subject)


class Memberships:
    """Handlers of memberships: they end, and stay as evidence of who could do what."""

    label = "accounts.membership"
    title = _("Memberships")
    kept = _("Evidence of who could do what; without name once the account is erased")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the memberships."""
        found = Membership.objects.filter(user_id=subject.user_id).select_related(
            "organisation", "role"
        )
        columns = ("organisation", "role", "valid_from", "valid_until", "source")
        rows = tuple(_row(membership, columns) for membership in found)
        return [Section(label=self.label, title=str(self.title), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count what stays."""
        kept = Membership.objects.filter(user_id=subject.user_id).count()
        return ErasureCount(label=self.label, kept=kept, reason=str(self.kept) if kept else "")

    def erase(self, subject: DataSubject) -> ErasureCount:
        """End all memberships."""
        for membership in Membership.objects.filter(
            Q(valid_until__isnull=True) | Q(valid_until__gt=clock.now()), user_id=subject.user_id
        ):
            membership.valid_until = max(clock.now(), membership.valid_from)
            membership.save(update_fields=["valid_until"])
        return self.preview(subject)


def of_user(subject: DataSubject) -> Q:
    """Pick the rows that point to a person."""
    return Q(user_id=subject.user_id)


def by_address(subject: DataSubject) -> Q:
    """Pick the invitations to a person's address, and those the person accepted."""
    return Q(email=subject.email) | Q(accepted_by_id=subject.user_id)


def by_user_name(subject: DataSubject) -> Q:
    """Pick the rows that name a person by the sign-in address."""
    return Q(username=subject.email)


def mine(name: str, columns: Mapping[str, FieldClass]) -> dict[str, FieldClass]:
    """Return the columns of a table whose rows belong to one person."""
    return {"id": NONE, name: LINK, **columns}


def source(
    label: str,
    model: str,
    fields: Mapping[str, FieldClass],
    *,
    retention: StrOrPromise,
    handlers: Rows | Account | Memberships | None = None,
    subjects: tuple[str, ...] = (),
) -> PersonalDataSource:
    """Declare a table that is about people, for the purpose of access."""
    return PersonalDataSource(
        label=label,
        model=model,
        fields=fields,
        subjects=subjects,
        purpose="access",
        basis="contract, art. 6(1)(b); security, art. 6(1)(f)",
        retention=retention,
        handlers=handlers,
        title=handlers.title if handlers else "",
    )


def about_nobody(
    label: str, model: str, *names: str, reason: str, links: tuple[str, ...] = ()
) -> PersonalDataSource:
    """Declare a table whose columns are about nobody, for a reason."""
    return PersonalDataSource(
        label=label,
        model=model,
        fields=dict.fromkeys(("id", *names), NONE) | dict.fromkeys(links, LINK),
        retention="as long as it is in use",
        reasons=dict.fromkeys(names, reason),
    )


WITH_ACCOUNT = _("with the account")


def _row(row: Model, columns: Sequence[str]) -> Mapping[str, object]:
    found = {name: cell(row, name) for name in columns}
    return {name: _plain(one.text if one.fault else one.value) for name, one in found.items()}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
