"""Personal parts of an entry, each under a key that can be destroyed (audit.md 9).

Address and user agent are sealed under the key of the day, which is destroyed after 30 days; that
and the actor's name are then sealed under the actor's own key. Erasing the person destroys the
second, and the tree over the ciphertext still verifies.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from audit import canonical
from audit.context import Context
from encryption import services as keys
from encryption.errors import Erased
from encryption.types import Owner, OwnerKind
from foundation.principals import ActorType, Principal

ACTOR_LABEL: Final = "audit.event.actor"
SUBJECT_LABEL: Final = "audit.event.subject"
NETWORK_LABEL: Final = "audit.event.network"

MAC_PURPOSE: Final = "audit.entry"
MAC_KEY: Final = 1

_KEY_ID = slice(1, 9)


@dataclass(frozen=True, slots=True)
class Part:
    """A sealed part of an entry.

    Attributes:
        owner: ``subject``, ``organisation`` or ``day``; stands in the body to find the key again.
        sealed: value format v1.
    """

    owner: str
    sealed: bytes

    @property
    def key_id(self) -> bytes:
        """Id of the data key, from the value's header."""
        return self.sealed[_KEY_ID]


def seal_actor(principal: Principal, context: Context, *, event_id: UUID) -> Part | None:
    """Seal who acted and from where; None where there is nothing personal.

    An erased person has no key any more: only the layer of the day is written then.
    """
    network = _network(context, event_id)
    owner = _owner_of_actor(principal)
    if owner is None:
        return network
    values: dict[str, object] = {"label": principal.label}
    if network is not None:
        values["network"] = network.sealed
    try:
        return _seal(owner, ACTOR_LABEL, event_id, values)
    except Erased:
        return network


def seal_subject(owner: Owner, values: Mapping[str, object], *, event_id: UUID) -> Part | None:
    """Seal values about a person under that person's key; None once the person is erased."""
    try:
        return _seal(owner, SUBJECT_LABEL, event_id, values)
    except Erased:
        return None


def open_actor(sealed: bytes, *, event_id: UUID, owner: Owner | None) -> dict[str, object]:
    """Open the actor's part, both layers as far as their keys exist.

    Args:
        sealed: the column.
        event_id: id of the entry.
        owner: whose key the outer layer is under; None where there is only the day's.

    Raises:
        Erased: the person was erased, or the key of the day was destroyed.
    """
    if owner is None:
        return _open(_day_of(event_id), NETWORK_LABEL, event_id, sealed)
    values = _open(owner, ACTOR_LABEL, event_id, sealed)
    network = values.pop("network", None)
    if isinstance(network, str):
        values |= _opened_network(bytes.fromhex(network), event_id)
    return values


def open_subject(sealed: bytes, *, event_id: UUID, owner: Owner) -> dict[str, object]:
    """Open the part about a person.

    Raises:
        Erased: the person was erased.
    """
    return _open(owner, SUBJECT_LABEL, event_id, sealed)


def entry_mac(event_id: UUID, body: bytes, actor: Part | None, subject: Part | None) -> bytes:
    """Return the MAC over what the writer sends, each field by presence, length and bytes."""
    parts: list[bytes | None] = [event_id.bytes, body]
    for part in (actor, subject):
        parts += [None, None] if part is None else [part.sealed, part.key_id]
    return keys.mac(MAC_PURPOSE, framed(parts))


def framed(parts: list[bytes | None]) -> bytes:
    """Return fields joined so that no two lists of fields give the same bytes."""
    return b"".join(
        b"\x00" if part is None else b"\x01" + len(part).to_bytes(4, "big") + part for part in parts
    )


def _owner_of_actor(principal: Principal) -> Owner | None:
    if principal.kind is ActorType.USER and principal.subject_id is not None:
        return Owner(OwnerKind.SUBJECT, principal.subject_id)
    if principal.kind is ActorType.INTEGRATION and principal.organisation_id is not None:
        return Owner(OwnerKind.ORGANISATION, principal.organisation_id)
    return None


def _network(context: Context, event_id: UUID) -> Part | None:
    if not context.address and not context.user_agent:
        return None
    values = {"address": context.address, "user_agent": context.user_agent}
    return _seal(_day_of(event_id), NETWORK_LABEL, event_id, values)


def _opened_network(sealed: bytes, event_id: UUID) -> dict[str, object]:
    try:
        return _open(_day_of(event_id), NETWORK_LABEL, event_id, sealed)
    except Erased:
        return {}


def _day_of(event_id: UUID) -> Owner:
    # The id carries the writer's time (UUIDv7): so writer and reader agree on the day at midnight.
    seconds = (event_id.int >> 80) / 1000
    return Owner.day(datetime.fromtimestamp(seconds, tz=UTC).date())


def _seal(owner: Owner, label: str, event_id: UUID, values: Mapping[str, object]) -> Part:
    sealed = keys.seal_bytes(
        owner=owner, label=label, row_id=event_id, plaintext=canonical.encode(values)
    )
    return Part(owner=str(owner.kind.value), sealed=sealed)


def _open(owner: Owner, label: str, event_id: UUID, sealed: bytes) -> dict[str, object]:
    opened = keys.open_bytes(owner=owner, label=label, row_id=event_id, sealed=sealed)
    values: dict[str, object] = json.loads(opened)
    return values
