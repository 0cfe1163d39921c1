"""Channels: where alerts go. Their destinations are sealed under a purpose key."""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.audit_events import CHANNEL_CHANGED
from audit.events import Severity
from audit.models import AlertChannel
from audit.services import Target, record
from encryption import services as keys
from foundation import clock
from foundation.errors import FieldError, Invalid
from foundation.principals import Principal

PURPOSE: Final = "audit.alert_channel"
OPERATOR: Final = "operator"
MAX_ADDRESSES: Final = 20


@transaction.atomic
def set_addresses(
    addresses: Sequence[str], *, principal: Principal, language: str = "en", name: str = OPERATOR
) -> AlertChannel:
    """Say which e-mail addresses the operator's alerts go to; replaces those of before.

    Args:
        addresses: at least one.
        principal: who decides.
        language: language of these mails.
        name: name of the channel; one per name.

    Raises:
        Invalid: no address, too many, or one that is none.
    """
    checked = _checked(addresses)
    channel = AlertChannel.objects.filter(name=name, organisation_id=None).first()
    channel = channel or AlertChannel(name=name, lowest_severity=Severity.MEDIUM)
    channel.destination_sealed = keys.seal_text(PURPOSE, json.dumps(checked))
    channel.language = language
    channel.enabled_at = clock.now()
    channel.save()
    record(
        CHANNEL_CHANGED,
        principal=principal,
        target=Target("audit.alert_channel", str(channel.pk)),
        details={"addresses": len(checked), "kind": str(channel.kind)},
    )
    return channel


def addresses_of(channel: AlertChannel) -> tuple[str, ...]:
    """Return the addresses of an e-mail channel."""
    return tuple(json.loads(keys.reveal_text(PURPOSE, channel.destination_sealed)))


def operator_addresses() -> tuple[str, ...]:
    """Return where the operator's alerts go now; empty where nobody said."""
    channel = AlertChannel.objects.filter(name=OPERATOR, organisation_id=None).first()
    return () if channel is None or channel.enabled_at is None else addresses_of(channel)


def channels_for(
    *, severity: int, organisation_id: UUID | None
) -> QuerySet[AlertChannel, AlertChannel]:
    """Return the enabled channels of the operator and the organisation for a severity."""
    whose = Q(organisation_id=None) | Q(organisation_id=organisation_id)
    return AlertChannel.objects.filter(
        whose, enabled_at__isnull=False, lowest_severity__lte=severity
    ).order_by("pk")


def _checked(addresses: Sequence[str]) -> list[str]:
    cleaned = [address.strip() for address in addresses if address.strip()]
    if not cleaned or len(cleaned) > MAX_ADDRESSES:
        raise Invalid(
            _("Give between 1 and %(most)d addresses.") % {"most": MAX_ADDRESSES},
            code="audit.addresses",
        )
    for number, address in enumerate(cleaned):
        try:
            validate_email(address)
        except ValidationError as error:
            detail = FieldError(f"/addresses/{number}", "address", _("That is no e-mail address."))
            raise Invalid(detail.detail, code="audit.address", errors=(detail,)) from error
    return cleaned
