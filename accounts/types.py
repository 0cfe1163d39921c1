"""Choices and shapes of the accounts app."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class OrganisationKind(TextChoices):
    """What an organisation is to this installation."""

    OPERATOR = "operator", _("Operator")
    CUSTOMER = "customer", _("Customer")
    PARTNER = "partner", _("Partner")


class OrganisationStatus(TextChoices):
    """Whether its people may work."""

    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")


class SharingMode(TextChoices):
    """The four visibility modes (workspace.md 2); the organisation names its default."""

    OWN = "own", _("Only the owner")
    CHOSEN = "chosen", _("Named colleagues")
    ORGANISATION = "organisation", _("The whole organisation")
    CONFIDENTIAL = "confidential", _("A named group")


class MembershipSource(TextChoices):
    """Where a membership comes from; each source changes only its own."""

    MANUAL = "manual", _("Set by hand")
    IDP = "idp", _("Identity provider")
    SCIM = "scim", _("Directory")
    INVITATION = "invitation", _("Invitation")


class AssignableBy(TextChoices):
    """Who may hand a role out, each level including the ones above it."""

    KEY_USER = "key_user", _("Key users and administrators")
    ADMINISTRATOR = "administrator", _("Administrators of the organisation")
    OPERATOR = "operator", _("Administrators of the operator")


class FactorKind(TextChoices):
    """By what a session was verified."""

    MFA = "mfa", _("Authenticator held by the person")
    EMAIL = "email", _("Code by e-mail")
    SMS = "sms", _("Code by text message")
    IDP = "idp", _("Identity provider")
    TRUSTED = "trusted", _("Trusted browser")


class Theme(TextChoices):
    """Choice of colours."""

    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class LinkPurpose(TextChoices):
    """What a one-time link opens."""

    SET_UP = "set_up", _("First administrator")
    ENROLMENT = "enrolment", _("Finish the enrolment")


class SessionEnd(TextChoices):
    """Why a session ended."""

    SIGNED_OUT = "signed_out", _("Signed out")
    ENDED = "ended", _("Ended in the session list")
    IDLE = "idle", _("Left alone too long")
    ABSOLUTE = "absolute", _("Reached its longest life")
    OTHER_BROWSER = "other_browser", _("Moved to another browser")
    ACCESS_ENDED = "access_ended", _("Access ended")
    PASSWORD_CHANGED = "password_changed", _("Passphrase changed")


class NoticeKind(TextChoices):
    """What a security notice tells."""

    PASSWORD_CHANGED = "password_changed", _("Your passphrase was changed")
    FACTOR_ADDED = "factor_added", _("An authenticator was added")
    RECOVERY_CODES_NEW = "recovery_codes_new", _("New recovery codes were made")
    RECOVERY_CODE_USED = "recovery_code_used", _("A recovery code was used")
    ROLE_CHANGED = "role_changed", _("Your role was changed")
