"""Event types of people, sign-in, roles and organisations."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.events import Connection, EventType, Kind, Retention, Severity

_ATTEMPT: Final = {
    "method": Kind.CODE,
    "identifier": Kind.DIGEST,
    "identifier_length": Kind.COUNT,
    "why": Kind.CODE,
}

SIGN_IN_SUCCEEDED: Final = EventType(
    "accounts.sign_in.succeeded",
    Severity.INFO,
    _("You signed in"),
    details={"method": Kind.CODE, "identifier": Kind.DIGEST},
)
SIGN_IN_FAILED: Final = EventType(
    "accounts.sign_in.failed",
    Severity.LOW,
    _("A sign-in failed"),
    connection=Connection.JOURNAL,
    details=_ATTEMPT,
)
SIGN_IN_REFUSED: Final = EventType(
    "accounts.sign_in.refused",
    Severity.MEDIUM,
    _("A sign-in was refused without a check"),
    connection=Connection.JOURNAL,
    details=_ATTEMPT,
)
SIGNED_OUT: Final = EventType("accounts.sign_out.done", Severity.INFO, _("You signed out"))

FACTOR_ENROLLED: Final = EventType(
    "accounts.factor.enrolled",
    Severity.MEDIUM,
    _("An authenticator was added"),
    details={"kind": Kind.CODE},
)
FACTOR_USED: Final = EventType(
    "accounts.factor.used",
    Severity.INFO,
    _("An authenticator was used"),
    details={"kind": Kind.CODE, "step_up": Kind.FLAG},
)
FACTOR_FAILED: Final = EventType(
    "accounts.factor.failed",
    Severity.LOW,
    _("A code was refused"),
    connection=Connection.JOURNAL,
    details={"kind": Kind.CODE, "why": Kind.CODE, "step_up": Kind.FLAG},
)
RECOVERY_CODES_MADE: Final = EventType(
    "accounts.recovery.codes_made",
    Severity.MEDIUM,
    _("New recovery codes were made"),
    details={"count": Kind.COUNT},
)
RECOVERY_CODES_CONFIRMED: Final = EventType(
    "accounts.recovery.codes_confirmed", Severity.INFO, _("The recovery codes were confirmed")
)
RECOVERY_CODE_USED: Final = EventType(
    "accounts.recovery.code_used",
    Severity.MEDIUM,
    _("A recovery code was used"),
    details={"left": Kind.COUNT},
)

INVITATION_SENT: Final = EventType(
    "accounts.invitation.sent",
    Severity.LOW,
    _("An invitation was made"),
    details={"role": Kind.CODE, "identifier": Kind.DIGEST},
)
INVITATION_ACCEPTED: Final = EventType(
    "accounts.invitation.accepted",
    Severity.LOW,
    _("An invitation was accepted"),
    details={"role": Kind.CODE},
)
INVITATION_REFUSED: Final = EventType(
    "accounts.invitation.refused",
    Severity.LOW,
    _("An invitation was refused"),
    connection=Connection.JOURNAL,
    details={"why": Kind.CODE},
)
INVITATION_WITHDRAWN: Final = EventType(
    "accounts.invitation.withdrawn", Severity.LOW, _("An invitation was withdrawn")
)
ENROLMENT_REQUESTED: Final = EventType(
    "accounts.enrolment.requested",
    Severity.LOW,
    _("A new mail to finish the enrolment was asked for"),
    connection=Connection.JOURNAL,
    details={"identifier": Kind.DIGEST},
)
ENROLMENT_COMPLETED: Final = EventType(
    "accounts.enrolment.completed", Severity.MEDIUM, _("The enrolment was completed")
)

MEMBERSHIP_CREATED: Final = EventType(
    "accounts.membership.created",
    Severity.MEDIUM,
    _("You became a member of an organisation"),
    details={"role": Kind.CODE, "source": Kind.CODE},
)
MEMBERSHIP_CHANGED: Final = EventType(
    "accounts.membership.changed", Severity.MEDIUM, _("Your role in an organisation was changed")
)
MEMBERSHIP_ENDED: Final = EventType(
    "accounts.membership.ended",
    Severity.MEDIUM,
    _("Your membership of an organisation ended"),
    details={"role": Kind.CODE},
)
ROLE_CHANGED: Final = EventType(
    "accounts.role.changed",
    Severity.HIGH,
    _("What a role may do was changed"),
    details={"role": Kind.CODE, "gained": Kind.NAMES, "lost": Kind.NAMES, "version": Kind.COUNT},
    needs_reason=True,
)

SESSION_ENDED: Final = EventType(
    "accounts.session.ended", Severity.LOW, _("A session was ended"), details={"why": Kind.CODE}
)
ACCESS_ENDED: Final = EventType(
    "accounts.access.ended",
    Severity.MEDIUM,
    _("All access of the account was ended"),
    details={"why": Kind.CODE, "count": Kind.COUNT},
)
STEP_UP_ASKED: Final = EventType(
    "accounts.step_up.passed", Severity.INFO, _("You confirmed a sensitive act with a code")
)
PROFILE_CHANGED: Final = EventType(
    "accounts.profile.changed",
    Severity.INFO,
    _("Your profile was changed"),
    details={"fields": Kind.NAMES},
)
PASSWORD_CHANGED: Final = EventType(
    "accounts.password.changed", Severity.MEDIUM, _("Your passphrase was changed")
)

ORGANISATION_CREATED: Final = EventType(
    "accounts.organisation.created",
    Severity.MEDIUM,
    _("An organisation was created"),
    retention=Retention.CONTRACT,
    details={"kind": Kind.CODE},
)
ORGANISATION_CHANGED: Final = EventType(
    "accounts.organisation.changed",
    Severity.MEDIUM,
    _("An organisation's settings were changed"),
    retention=Retention.CONTRACT,
)
ORGANISATION_CHOSEN: Final = EventType(
    "accounts.organisation.chosen",
    Severity.INFO,
    _("You changed to another organisation"),
    retention=Retention.ACCESS,
)
SET_UP_STARTED: Final = EventType(
    "accounts.set_up.started", Severity.HIGH, _("The first administrator was set up")
)
SET_UP_REFUSED: Final = EventType(
    "accounts.set_up.refused",
    Severity.MEDIUM,
    _("A set-up code was refused"),
    connection=Connection.JOURNAL,
    details={"why": Kind.CODE},
)

ALL: Final = (
    SIGN_IN_SUCCEEDED,
    SIGN_IN_FAILED,
    SIGN_IN_REFUSED,
    SIGNED_OUT,
    FACTOR_ENROLLED,
    FACTOR_USED,
    FACTOR_FAILED,
    RECOVERY_CODES_MADE,
    RECOVERY_CODES_CONFIRMED,
    RECOVERY_CODE_USED,
    INVITATION_SENT,
    INVITATION_ACCEPTED,
    INVITATION_REFUSED,
    INVITATION_WITHDRAWN,
    ENROLMENT_REQUESTED,
    ENROLMENT_COMPLETED,
    MEMBERSHIP_CREATED,
    MEMBERSHIP_CHANGED,
    MEMBERSHIP_ENDED,
    ROLE_CHANGED,
    SESSION_ENDED,
    ACCESS_ENDED,
    STEP_UP_ASKED,
    PROFILE_CHANGED,
    PASSWORD_CHANGED,
    ORGANISATION_CREATED,
    ORGANISATION_CHANGED,
    ORGANISATION_CHOSEN,
    SET_UP_STARTED,
    SET_UP_REFUSED,
)
