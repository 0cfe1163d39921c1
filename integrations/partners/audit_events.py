"""Event types of the partners' way in (integrations.md 7)."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.events import Connection, EventType, Kind, Retention, Severity

ONBOARDING_STARTED: Final = EventType(
    "integrations.onboarding.started",
    Severity.LOW,
    _("A partner started the onboarding"),
    retention=Retention.CONTRACT,
    details={"domain": Kind.CODE},
)
ONBOARDING_CONFIRMED: Final = EventType(
    "integrations.onboarding.confirmed",
    Severity.LOW,
    _("A partner confirmed its address"),
    retention=Retention.CONTRACT,
)
ONBOARDING_DESCRIBED: Final = EventType(
    "integrations.onboarding.described",
    Severity.LOW,
    _("A partner described itself"),
    retention=Retention.CONTRACT,
    details={"scopes": Kind.NAMES, "keys": Kind.COUNT},
)
ONBOARDING_AGREED: Final = EventType(
    "integrations.onboarding.agreed",
    Severity.MEDIUM,
    _("Agreements were accepted for a partner"),
    retention=Retention.CONTRACT,
    details={
        "api_terms_version": Kind.CODE,
        "api_terms_digest": Kind.DIGEST,
        "data_processing_version": Kind.CODE,
        "data_processing_digest": Kind.DIGEST,
    },
)
ONBOARDING_SUBMITTED: Final = EventType(
    "integrations.onboarding.submitted",
    Severity.LOW,
    _("A partner asked for approval"),
    retention=Retention.CONTRACT,
    details={"rule": Kind.CODE},
)
ONBOARDING_APPROVED: Final = EventType(
    "integrations.onboarding.approved",
    Severity.MEDIUM,
    _("A partner was approved"),
    retention=Retention.CONTRACT,
    details={"rule": Kind.CODE},
    needs_reason=True,
)
ONBOARDING_REFUSED: Final = EventType(
    "integrations.onboarding.refused",
    Severity.MEDIUM,
    _("A partner was refused"),
    retention=Retention.CONTRACT,
    needs_reason=True,
)
ONBOARDING_SUSPENDED: Final = EventType(
    "integrations.onboarding.suspended",
    Severity.HIGH,
    _("A partner was suspended"),
    retention=Retention.CONTRACT,
    needs_reason=True,
)
ONBOARDING_RESUMED: Final = EventType(
    "integrations.onboarding.resumed",
    Severity.MEDIUM,
    _("The suspension of a partner was lifted"),
    retention=Retention.CONTRACT,
    needs_reason=True,
)
ONBOARDING_LAPSED: Final = EventType(
    "integrations.onboarding.lapsed",
    Severity.LOW,
    _("An onboarding ended because nothing happened for 30 days"),
    retention=Retention.CONTRACT,
)
CLIENT_CREATED: Final = EventType(
    "integrations.client.created",
    Severity.MEDIUM,
    _("A partner client was made"),
    details={"environment": Kind.CODE, "scopes": Kind.NAMES, "method": Kind.CODE},
)
CLIENT_ROTATED: Final = EventType(
    "integrations.client.rotated",
    Severity.MEDIUM,
    _("A partner client got a new key or secret"),
    details={"method": Kind.CODE, "expires": Kind.TIME},
)
CLIENT_REVOKED: Final = EventType(
    "integrations.client.revoked",
    Severity.MEDIUM,
    _("A partner client or one of its secrets was revoked"),
    details={"what": Kind.CODE, "ended": Kind.COUNT},
)
ACCESS_GRANTED: Final = EventType(
    "integrations.access.granted",
    Severity.INFO,
    _("A partner client got an access token"),
    retention=Retention.ACCESS,
    details={"environment": Kind.CODE, "scopes": Kind.NAMES},
)
INTERFACE_REFUSED: Final = EventType(
    "integrations.interface.refused",
    Severity.MEDIUM,
    _("A partner client could not prove who it is"),
    connection=Connection.JOURNAL,
    details={"code": Kind.CODE, "named": Kind.DIGEST},
)

ALL: Final = (
    ONBOARDING_STARTED,
    ONBOARDING_CONFIRMED,
    ONBOARDING_DESCRIBED,
    ONBOARDING_AGREED,
    ONBOARDING_SUBMITTED,
    ONBOARDING_APPROVED,
    ONBOARDING_REFUSED,
    ONBOARDING_SUSPENDED,
    ONBOARDING_RESUMED,
    ONBOARDING_LAPSED,
    CLIENT_CREATED,
    CLIENT_ROTATED,
    CLIENT_REVOKED,
    ACCESS_GRANTED,
    INTERFACE_REFUSED,
)
