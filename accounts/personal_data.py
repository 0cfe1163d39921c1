"""What accounts and the sign-in libraries hold about people (identity.md 7, privacy.md 1).

The account itself is registered first and so erased last.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from accounts.models import (
    Invitation,
    Membership,
    NotificationAddress,
    OneTimeLink,
    SecurityNotice,
    SessionFactor,
    TeamMember,
    User,
    UserSession,
)
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
    kept = _("The row stays without name and address: other rows point to it")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the account."""
        columns = ("email", "display_name", "language", "theme", "created_at", "last_login")
        rows = tuple(_row(user, columns) for user in User.objects.filter(pk=subject.user_id))
        return [Section(label=self.label, title=str(_("Your account")), rows=rows)]

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
    kept = _("Evidence of who could do what; without name once the account is erased")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return the memberships."""
        found = Membership.objects.filter(user_id=subject.user_id).select_related(
            "organisation", "role"
        )
        columns = ("organisation", "role", "valid_from", "valid_until", "source")
        rows = tuple(_row(membership, columns) for membership in found)
        return [Section(label=self.label, title=str(_("Memberships")), rows=rows)]

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


def _row(row: Model, columns: Sequence[str]) -> Mapping[str, object]:
    return {name: _plain(getattr(row, name)) for name in columns}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _of_user(subject: DataSubject) -> Q:
    return Q(user_id=subject.user_id)


def _by_address(subject: DataSubject) -> Q:
    return Q(email=subject.email) | Q(accepted_by_id=subject.user_id)


def _by_user_name(subject: DataSubject) -> Q:
    return Q(username=subject.email)


def _mine(name: str, columns: Mapping[str, FieldClass]) -> dict[str, FieldClass]:
    return {"id": NONE, name: LINK, **columns}


_ATTEMPT = {
    "id": NONE,
    "user_agent": BEHAVIOUR,
    "ip_address": BEHAVIOUR,
    "username": IDENTIFIER,
    "http_accept": BEHAVIOUR,
    "path_info": BEHAVIOUR,
    "attempt_time": BEHAVIOUR,
}
_SEEN = ("username", "ip_address", "user_agent", "attempt_time")


def _source(
    label: str,
    model: str,
    fields: Mapping[str, FieldClass],
    *,
    retention: str,
    handlers: Rows | Account | Memberships | None = None,
    subjects: tuple[str, ...] = (),
) -> PersonalDataSource:
    return PersonalDataSource(
        label=label,
        model=model,
        fields=fields,
        subjects=subjects,
        purpose="access",
        basis="contract, art. 6(1)(b); security, art. 6(1)(f)",
        retention=retention,
        handlers=handlers,
    )


def _about_nobody(
    label: str, model: str, *names: str, reason: str, links: tuple[str, ...] = ()
) -> PersonalDataSource:
    return PersonalDataSource(
        label=label,
        model=model,
        fields=dict.fromkeys(("id", *names), NONE) | dict.fromkeys(links, LINK),
        retention="as long as it is in use",
        reasons=dict.fromkeys(names, reason),
    )


WITH_ACCOUNT = "with the account"

ACCOUNT = (
    _source(
        "accounts.user",
        "accounts.User",
        {
            "id": NONE,
            "subject_id": LINK,
            "email": CONTACT,
            "display_name": IDENTIFIER,
            "password": SECRET,
            "language": BEHAVIOUR,
            "theme": BEHAVIOUR,
            "is_active": NONE,
            "is_staff": NONE,
            "is_superuser": NONE,
            "frozen_at": BEHAVIOUR,
            "security_epoch": NONE,
            "home_organisation": LINK,
            "last_login": BEHAVIOUR,
            "created_at": BEHAVIOUR,
        },
        retention="until erased",
        subjects=("subject_id",),
        handlers=Account(),
    ),
    _source(
        "accounts.notification_address",
        "accounts.NotificationAddress",
        _mine(
            "user",
            {
                "subject_id": LINK,
                "address": CONTACT,
                "verified_at": BEHAVIOUR,
                "created_at": BEHAVIOUR,
            },
        ),
        retention=WITH_ACCOUNT,
        subjects=("user",),
        handlers=Rows(
            "accounts.notification_address",
            _("Addresses for security notices"),
            NotificationAddress.objects.all,
            _of_user,
            ("address", "verified_at"),
        ),
    ),
    _source(
        "accounts.membership",
        "accounts.Membership",
        _mine(
            "user",
            {
                "organisation": LINK,
                "role": LINK,
                "valid_from": BEHAVIOUR,
                "valid_until": BEHAVIOUR,
                "source": NONE,
                "granted_by": LINK,
                "break_glass": NONE,
                "created_at": BEHAVIOUR,
            },
        ),
        retention="evidence of who could do what: three years after it ended",
        subjects=("user",),
        handlers=Memberships(),
    ),
    _source(
        "accounts.invitation",
        "accounts.Invitation",
        {
            "id": NONE,
            "email": CONTACT,
            "organisation": LINK,
            "role": LINK,
            "inviter": LINK,
            "language": NONE,
            "token_hash": SECRET,
            "created_at": BEHAVIOUR,
            "expires_at": NONE,
            "sent_at": BEHAVIOUR,
            "accepted_at": BEHAVIOUR,
            "accepted_by": LINK,
            "withdrawn_at": BEHAVIOUR,
        },
        retention="one year after it was made",
        subjects=("email", "accepted_by", "inviter"),
        handlers=Rows(
            "accounts.invitation",
            _("Invitations to you"),
            Invitation.objects.all,
            _by_address,
            ("email", "created_at", "accepted_at"),
        ),
    ),
    _source(
        "accounts.one_time_link",
        "accounts.OneTimeLink",
        _mine(
            "user",
            {
                "purpose": NONE,
                "token_hash": SECRET,
                "created_at": BEHAVIOUR,
                "expires_at": NONE,
                "sent_at": BEHAVIOUR,
                "used_at": BEHAVIOUR,
            },
        ),
        retention="30 days",
        subjects=("user",),
        handlers=Rows(
            "accounts.one_time_link",
            _("Links that were sent to you"),
            OneTimeLink.objects.all,
            _of_user,
            ("purpose", "created_at", "used_at"),
        ),
    ),
    _source(
        "accounts.session",
        "accounts.UserSession",
        _mine(
            "user",
            {
                "session_key": SECRET,
                "family": BEHAVIOUR,
                "platform": BEHAVIOUR,
                "net": BEHAVIOUR,
                "started_at": BEHAVIOUR,
                "last_seen_at": BEHAVIOUR,
                "ended_at": BEHAVIOUR,
                "ended_because": NONE,
            },
        ),
        retention="until the session ends, then 30 days",
        subjects=("user",),
        handlers=Rows(
            "accounts.session",
            _("Sessions"),
            UserSession.objects.all,
            _of_user,
            ("family", "net", "started_at", "last_seen_at", "ended_at", "ended_because"),
        ),
    ),
    _source(
        "accounts.session_factor",
        "accounts.SessionFactor",
        _mine("user", {"name": NONE, "confirmed": NONE, "kind": NONE}),
        retention=WITH_ACCOUNT,
        subjects=("user",),
        handlers=Rows(
            "accounts.session_factor",
            _("Kinds of factors that verified your sessions"),
            SessionFactor.objects.all,
            _of_user,
            ("kind",),
        ),
    ),
    _source(
        "accounts.security_notice",
        "accounts.SecurityNotice",
        _mine("user", {"kind": NONE, "created_at": BEHAVIOUR, "sent_at": BEHAVIOUR}),
        retention="one year",
        subjects=("user",),
        handlers=Rows(
            "accounts.security_notice",
            _("Security notices to you"),
            SecurityNotice.objects.all,
            _of_user,
            ("kind", "created_at", "sent_at"),
        ),
    ),
    _source(
        "accounts.team_member",
        "accounts.TeamMember",
        {"id": NONE, "team": LINK, "user": LINK},
        retention="until removed from the team",
        subjects=("user",),
        handlers=Rows(
            "accounts.team_member",
            _("Teams"),
            TeamMember.objects.select_related("team").all,
            _of_user,
            ("team",),
        ),
    ),
    _source(
        "accounts.role_version",
        "accounts.RoleVersion",
        {
            "id": NONE,
            "role": LINK,
            "number": NONE,
            "codes": NONE,
            "changed_by": LINK,
            "changed_at": BEHAVIOUR,
        },
        retention="as long as the role exists",
        subjects=("changed_by",),
        handlers=None,
    ),
    PersonalDataSource(
        label="accounts.organisation",
        model="accounts.Organisation",
        fields={
            **dict.fromkeys(
                ("id", "kind", "status", "plan", "ceiling", "sharing_default", "created_at"), NONE
            ),
            "name": NONE,
            "sort_key": NONE,
            "team_in_charge": LINK,
        },
        retention="until the organisation ends",
        reasons={"name": "names a legal person", "sort_key": "derived from the name"},
    ),
    _about_nobody("accounts.team", "accounts.Team", "name", "created_at", reason="names a group"),
    _about_nobody(
        "accounts.role",
        "accounts.Role",
        *("code", "name", "assignable_by", "needs_mfa", "is_system", "created_at"),
        reason="describes rights",
        links=("organisation",),
    ),
    _about_nobody(
        "accounts.role_permission",
        "accounts.RolePermission",
        "code",
        reason="a code of the permission registry",
        links=("role",),
    ),
)

LIBRARIES = (
    _source(
        "accounts.email_address",
        "account.EmailAddress",
        _mine("user", {"email": CONTACT, "verified": NONE, "primary": NONE}),
        retention="verified: with the account; unverified: 7 days",
        subjects=("user",),
        handlers=Rows(
            "accounts.email_address",
            _("E-mail addresses for sign-in"),
            EmailAddress.objects.all,
            _of_user,
            ("email", "verified", "primary"),
        ),
    ),
    _source(
        "accounts.authenticator",
        "mfa.Authenticator",
        _mine(
            "user",
            {"type": NONE, "data": SECRET, "created_at": BEHAVIOUR, "last_used_at": BEHAVIOUR},
        ),
        retention=WITH_ACCOUNT,
        subjects=("user",),
        handlers=Rows(
            "accounts.authenticator",
            _("Authenticators"),
            Authenticator.objects.all,
            _of_user,
            ("type", "created_at", "last_used_at"),
        ),
    ),
    _source(
        "accounts.sign_in_attempt",
        "axes.AccessAttempt",
        {**_ATTEMPT, "get_data": CONTENT, "post_data": CONTENT, "failures_since_start": NONE},
        retention="24 hours",
        subjects=("username",),
        handlers=Rows(
            "accounts.sign_in_attempt",
            _("Failed sign-ins"),
            AccessAttempt.objects.all,
            _by_user_name,
            (*_SEEN, "failures_since_start"),
        ),
    ),
    _source(
        "accounts.sign_in_failure",
        "axes.AccessFailureLog",
        {**_ATTEMPT, "locked_out": NONE},
        retention="30 days; not written by default",
        subjects=("username",),
        handlers=Rows(
            "accounts.sign_in_failure",
            _("Log of failed sign-ins"),
            AccessFailureLog.objects.all,
            _by_user_name,
            _SEEN,
        ),
    ),
    _source(
        "accounts.sign_in_log",
        "axes.AccessLog",
        {**_ATTEMPT, "logout_time": BEHAVIOUR, "session_hash": SECRET},
        retention="30 days; not written by default",
        subjects=("username",),
        handlers=Rows(
            "accounts.sign_in_log",
            _("Log of sign-ins"),
            AccessLog.objects.all,
            _by_user_name,
            _SEEN,
        ),
    ),
    _source(
        "accounts.admin_log",
        "admin.LogEntry",
        _mine(
            "user",
            {
                "action_time": BEHAVIOUR,
                "content_type": LINK,
                "object_id": LINK,
                "object_repr": CONTENT,
                "action_flag": NONE,
                "change_message": CONTENT,
            },
        ),
        retention="30 days; the journal is the record",
        subjects=("user",),
        handlers=Rows(
            "accounts.admin_log",
            _("Your steps in the administration"),
            LogEntry.objects.all,
            _of_user,
            ("action_time", "object_repr", "action_flag"),
        ),
    ),
    _source(
        "accounts.django_session",
        "sessions.Session",
        {"session_key": SECRET, "session_data": BEHAVIOUR, "expire_date": NONE},
        retention="absolute life of a session, pruned nightly; erased through end_access",
    ),
    _source(
        "accounts.social_account",
        "socialaccount.SocialAccount",
        _mine(
            "user",
            {
                "provider": NONE,
                "uid": IDENTIFIER,
                "last_login": BEHAVIOUR,
                "date_joined": BEHAVIOUR,
                "extra_data": CONTENT,
            },
        ),
        retention="none is written before single sign-on exists",
        subjects=("user",),
    ),
    _source(
        "accounts.social_token",
        "socialaccount.SocialToken",
        {
            "id": NONE,
            "app": LINK,
            "account": LINK,
            "token": SECRET,
            "token_secret": SECRET,
            "expires_at": NONE,
        },
        retention="never written: SOCIALACCOUNT_STORE_TOKENS is off",
    ),
    _source(
        "accounts.social_app",
        "socialaccount.SocialApp",
        {
            **dict.fromkeys(("id", "provider", "provider_id", "name"), NONE),
            "client_id": SECRET,
            "secret": SECRET,
            "key": SECRET,
            "settings": NONE,
        },
        retention="never written: identity providers have a table of their own",
    ),
    _source(
        "accounts.email_confirmation",
        "account.EmailConfirmation",
        {"id": NONE, "email_address": LINK, "created": NONE, "sent": NONE, "key": SECRET},
        retention="never written: confirmation is by invitation",
    ),
    _source(
        "accounts.object_permission",
        "guardian.UserObjectPermission",
        _mine("user", {"permission": LINK, "content_type": LINK, "object_pk": LINK}),
        retention="never written: grants have tables of their own",
        subjects=("user",),
    ),
    _about_nobody(
        "accounts.group_object_permission",
        "guardian.GroupObjectPermission",
        "object_pk",
        reason="never written",
        links=("permission", "content_type", "group"),
    ),
    PersonalDataSource(
        label="accounts.attempt_expiration",
        model="axes.AccessAttemptExpiration",
        fields={"access_attempt": LINK, "expires_at": NONE},
        retention="24 hours",
    ),
    _about_nobody("accounts.group", "auth.Group", "name", reason="never written"),
    _about_nobody(
        "accounts.permission",
        "auth.Permission",
        *("name", "codename"),
        reason="made by Django from the models",
        links=("content_type",),
    ),
    _about_nobody(
        "accounts.content_type",
        "contenttypes.ContentType",
        *("app_label", "model"),
        reason="names of tables",
    ),
)

SOURCES = (*ACCOUNT, *LIBRARIES)
