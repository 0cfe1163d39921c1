"""What the sign-in libraries hold about people (identity.md 7)."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext_lazy as _

from accounts.personal_data.declaring import (
    BEHAVIOUR,
    CONTACT,
    CONTENT,
    IDENTIFIER,
    LINK,
    NONE,
    SECRET,
    WITH_ACCOUNT,
    Rows,
    about_nobody,
    by_user_name,
    mine,
    of_user,
    source,
)
from foundation.contracts.personal_data import PersonalDataSource

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


LIBRARIES = (
    source(
        "accounts.email_address",
        "account.EmailAddress",
        mine("user", {"email": CONTACT, "verified": NONE, "primary": NONE}),
        retention=_("verified: with the account; unverified: 7 days"),
        subjects=("user",),
        handlers=Rows(
            "accounts.email_address",
            _("E-mail addresses for sign-in"),
            EmailAddress.objects.all,
            of_user,
            ("email", "verified", "primary"),
        ),
    ),
    source(
        "accounts.authenticator",
        "mfa.Authenticator",
        mine(
            "user",
            {"type": NONE, "data": SECRET, "created_at": BEHAVIOUR, "last_used_at": BEHAVIOUR},
        ),
        retention=WITH_ACCOUNT,
        subjects=("user",),
        handlers=Rows(
            "accounts.authenticator",
            _("Authenticators"),
            Authenticator.objects.all,
            of_user,
            ("type", "created_at", "last_used_at"),
        ),
    ),
    source(
        "accounts.sign_in_attempt",
        "axes.AccessAttempt",
        {**_ATTEMPT, "get_data": CONTENT, "post_data": CONTENT, "failures_since_start": NONE},
        retention=_("24 hours"),
        subjects=("username",),
        handlers=Rows(
            "accounts.sign_in_attempt",
            _("Failed sign-ins"),
            AccessAttempt.objects.all,
            by_user_name,
            (*_SEEN, "failures_since_start"),
        ),
    ),
    source(
        "accounts.sign_in_failure",
        "axes.AccessFailureLog",
        {**_ATTEMPT, "locked_out": NONE},
        retention=_("30 days; not written by default"),
        subjects=("username",),
        handlers=Rows(
            "accounts.sign_in_failure",
            _("Log of failed sign-ins"),
            AccessFailureLog.objects.all,
            by_user_name,
            _SEEN,
        ),
    ),
    source(
        "accounts.sign_in_log",
        "axes.AccessLog",
        {**_ATTEMPT, "logout_time": BEHAVIOUR, "session_hash": SECRET},
        retention=_("30 days; not written by default"),
        subjects=("username",),
        handlers=Rows(
            "accounts.sign_in_log",
            _("Log of sign-ins"),
            AccessLog.objects.all,
            by_user_name,
            _SEEN,
        ),
    ),
    source(
        "accounts.admin_log",
        "admin.LogEntry",
        mine(
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
        retention=_("30 days; the journal is the record"),
        subjects=("user",),
        handlers=Rows(
            "accounts.admin_log",
            _("Your steps in the administration"),
            LogEntry.objects.all,
            of_user,
            ("action_time", "object_repr", "action_flag"),
        ),
    ),
    source(
        "accounts.django_session",
        "sessions.Session",
        {"session_key": SECRET, "session_data": BEHAVIOUR, "expire_date": NONE},
        retention="absolute life of a session, pruned nightly; erased through end_access",
    ),
    source(
        "accounts.social_account",
        "socialaccount.SocialAccount",
        mine(
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
    source(
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
    source(
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
    source(
        "accounts.email_confirmation",
        "account.EmailConfirmation",
        {"id": NONE, "email_address": LINK, "created": NONE, "sent": NONE, "key": SECRET},
        retention="never written: confirmation is by invitation",
    ),
    source(
        "accounts.object_permission",
        "guardian.UserObjectPermission",
        mine("user", {"permission": LINK, "content_type": LINK, "object_pk": LINK}),
        retention="never written: grants have tables of their own",
        subjects=("user",),
    ),
    about_nobody(
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
    about_nobody("accounts.group", "auth.Group", "name", reason="never written"),
    about_nobody(
        "accounts.permission",
        "auth.Permission",
        *("name", "codename"),
        reason="made by Django from the models",
        links=("content_type",),
    ),
    about_nobody(
        "accounts.content_type",
        "contenttypes.ContentType",
        *("app_label", "model"),
        reason="names of tables",
    ),
)
