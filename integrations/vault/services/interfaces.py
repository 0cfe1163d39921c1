"""Each credential as a registered way out: hosts, purpose, and the operator's exceptions."""

from pathlib import Path
from uuid import UUID

from django.conf import settings

from foundation.contracts.interfaces import Direction, Interface, PrivateTarget
from foundation.errors import Unavailable
from foundation.identifiers import parse_uuid
from foundation.tenancy import organisation_scope
from integrations.vault.models import Credential
from integrations.vault.types import USABLE

KIND = "credential"


class TargetsUnreadable(Unavailable):
    """``OUTBOUND_PRIVATE_TARGETS`` cannot be read: the operator must correct it."""

    code = "vault.private_targets_unreadable"


def interface_of(credential: Credential) -> Interface:
    """Return the way out that a credential opens."""
    return Interface(
        code=f"{KIND}:{credential.organisation_id}:{credential.pk}",
        kind=KIND,
        direction=Direction.OUT,
        owner=str(credential.owner_id or ""),
        purpose=credential.purpose,
        hosts=frozenset(credential.allowed_hosts),
        recipients=tuple(credential.allowed_hosts),
        private_targets=private_targets(),
        organisation_id=credential.organisation_id,
        credential_id=credential.pk,
        last_used_at=credential.last_used_at,
        is_enabled=credential.state in USABLE,
    )


def find_interface_of(code: str) -> Interface | None:
    """Return the way out of a code, or None; opens the scope that the code names."""
    kind, _, rest = code.partition(":")
    organisation_id, _, credential_id = rest.partition(":")
    found = parse_uuid(organisation_id), parse_uuid(credential_id)
    if kind != KIND or found[0] is None or found[1] is None:
        return None
    with organisation_scope(found[0]):
        credential = Credential.objects.filter(pk=found[1]).first()
    return None if credential is None else interface_of(credential)


def interfaces_of(organisation_id: UUID | None) -> tuple[Interface, ...]:
    """Return the ways out of an organisation's credentials; the operator's own are rows too."""
    if organisation_id is None:
        return ()
    with organisation_scope(organisation_id):
        return tuple(interface_of(credential) for credential in Credential.objects.all())


def private_targets() -> tuple[PrivateTarget, ...]:
    """Return the operator's exceptions from the ban on private addresses, for credentials.

    The setting lists ``credential|<host>:<port>|<file of CA certificates>``; other kinds of
    interface have entries of their own.

    Raises:
        TargetsUnreadable: an entry has another form, or its file cannot be read.
    """
    entries = (entry.split("|") for entry in settings.OUTBOUND_PRIVATE_TARGETS)
    return tuple(_target(entry) for entry in entries if entry[0] == KIND)


def _target(entry: list[str]) -> PrivateTarget:
    try:
        _kind, place, file = entry
        host, _, port = place.rpartition(":")
        bundle = Path(file).read_text(encoding="ascii")
        return PrivateTarget(host=host.strip("[]").lower(), port=int(port), ca_bundle=bundle)
    except (OSError, ValueError) as error:
        raise TargetsUnreadable(
            "An entry of OUTBOUND_PRIVATE_TARGETS cannot be read; "
            "its form is credential|erp.example:8443|/etc/gatehouse/erp-ca.pem."
        ) from error
