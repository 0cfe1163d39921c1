"""Making of an entry: from what a service says and the context knows to one row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from audit import canonical, rows, sealing
from audit.context import Context
from audit.events import Connection, EventType, Kind, Outcome, is_denied_name
from audit.types import PERSON, Changes, EntryRefused, Target
from encryption.types import Owner, OwnerKind
from foundation.identifiers import uuid7
from foundation.principals import ActorType, Principal

MAX_REASON = 500

_SCALAR = (str, int, UUID, bytes, date, Decimal, type(None))
_HOLDS: Mapping[Kind, tuple[type, ...]] = {
    Kind.COUNT: (int, type(None)),
    Kind.FLAG: (bool,),
    Kind.NAMES: (list, tuple, set, frozenset),
}


@dataclass(frozen=True, slots=True)
class Act:
    """What a service says about an act; see ``audit.services.record``."""

    event_type: EventType
    principal: Principal
    target: Target | None = None
    organisation_id: UUID | None = None
    outcome: Outcome = Outcome.SUCCESS
    changes: Changes = field(default_factory=dict)
    purpose: str = ""
    reason: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    about: UUID | None = None

    @property
    def subject_id(self) -> UUID | None:
        """The person the act is about: as told, or the target itself."""
        if self.about is None and self.target is not None and self.target.type == PERSON:
            return UUID(self.target.id)
        return self.about


@dataclass(frozen=True, slots=True)
class _Parts:
    actor: sealing.Part | None
    subject: sealing.Part | None


def row_of(act: Act, context: Context) -> rows.Row:
    """Return the row of an act, with its sealed parts and MAC.

    Raises:
        EntryRefused: details break the declaration of the type.
        KeysUnavailable: the parts cannot be sealed now, so the act cannot happen now.
    """
    _check_details(act)
    event_id = uuid7()
    parts = _Parts(
        actor=sealing.seal_actor(act.principal, context, event_id=event_id),
        subject=_subject_part(act, event_id),
    )
    body = canonical.encode(_body(act, context, event_id, parts))
    mac = sealing.entry_mac(event_id, body, parts.actor, parts.subject)
    return _row(act, context, event_id, parts, body=body.decode(), mac=mac)


def actor_id_of(principal: Principal) -> UUID | None:
    """Return the id by which entries know an actor: people by their subject."""
    return principal.subject_id if principal.kind is ActorType.USER else principal.id


def _check_details(act: Act) -> None:
    for name, value in act.details.items():
        kind = act.event_type.kind_of(name)
        if kind is None or is_denied_name(name):
            raise EntryRefused(f"{act.event_type.code} does not declare the detail {name}")
        if not isinstance(value, _HOLDS.get(kind, _SCALAR)):
            raise EntryRefused(f"{act.event_type.code}: {name} is no {kind}")


def _subject_part(act: Act, event_id: UUID) -> sealing.Part | None:
    values = _personal_values(act)
    if not values:
        return None
    return sealing.seal_subject(_owner_of_subject(act), values, event_id=event_id)


def _personal_values(act: Act) -> dict[str, object]:
    values: dict[str, object] = {}
    changed = {name: change.personal for name, change in act.changes.items() if change.personal}
    told = {name: act.details[name] for name in act.details if _is_personal(act, name)}
    if changed:
        values["changes"] = changed
    if told:
        values["details"] = told
    return values


def _is_personal(act: Act, name: str) -> bool:
    return act.event_type.kind_of(name) is Kind.PERSONAL


def _owner_of_subject(act: Act) -> Owner:
    if act.subject_id is not None:
        return Owner(OwnerKind.SUBJECT, act.subject_id)
    if act.organisation_id is not None:
        return Owner(OwnerKind.ORGANISATION, act.organisation_id)
    raise EntryRefused(f"{act.event_type.code}: personal values need to know whom they are about")


def _body(act: Act, context: Context, event_id: UUID, parts: _Parts) -> dict[str, object]:
    told = {name: value for name, value in act.details.items() if not _is_personal(act, name)}
    whole: dict[str, object] = {
        "event_id": event_id,
        "type": act.event_type.code,
        "schema_ver": act.event_type.schema_version,
        "outcome": act.outcome,
        "severity": int(act.event_type.severity),
        "retention": str(act.event_type.retention),
        "organisation": act.organisation_id,
        "actor": _actor(act.principal, context),
        "target": None if act.target is None else {"type": act.target.type, "id": act.target.id},
        "about": act.subject_id,
        "request": _request(context),
        "purpose": act.purpose or None,
        "reason": act.reason[:MAX_REASON] or None,
        "details": told or None,
        "changes": {name: change.clear for name, change in act.changes.items()} or None,
        "sealed": _sealed_owners(parts),
    }
    return {key: value for key, value in whole.items() if value is not None}


def _actor(principal: Principal, context: Context) -> dict[str, object]:
    whole: dict[str, object] = {
        "type": principal.kind,
        "id": actor_id_of(principal),
        "on_behalf_of": principal.on_behalf_of,
        "credential": principal.credential_id,
        "session": principal.session_tag,
        "method": context.method or None,
        # The name of a loop, task or command is no personal data.
        "name": principal.label if principal.kind is ActorType.SYSTEM else None,
    }
    return {key: value for key, value in whole.items() if value is not None}


def _request(context: Context) -> dict[str, object]:
    whole: dict[str, object] = {
        "id": context.request_id,
        "client_id": context.client_request_id or None,
        "channel": context.channel,
        "net": context.net or None,
        "found": context.how or None,
        "browser": context.browser or None,
    }
    return {key: value for key, value in whole.items() if value is not None}


def _sealed_owners(parts: _Parts) -> dict[str, object] | None:
    owners: dict[str, object] = {}
    if parts.actor is not None:
        owners["actor"] = parts.actor.owner
    if parts.subject is not None:
        owners["subject"] = parts.subject.owner
    return owners or None


def _row(
    act: Act, context: Context, event_id: UUID, parts: _Parts, *, body: str, mac: bytes
) -> rows.Row:
    in_change = act.event_type.connection is Connection.CHANGE
    return rows.Row(
        event_id=event_id,
        writer=rows.RECORD_IN_CHANGE if in_change else rows.RECORD_IN_JOURNAL,
        type=act.event_type.code,
        outcome=act.outcome,
        severity=int(act.event_type.severity),
        retention=str(act.event_type.retention),
        schema_ver=act.event_type.schema_version,
        organisation_id=act.organisation_id,
        actor_type=act.principal.kind,
        actor_id=actor_id_of(act.principal),
        on_behalf_of=act.principal.on_behalf_of,
        credential_id=act.principal.credential_id,
        session_tag=act.principal.session_tag,
        target_type=None if act.target is None else act.target.type,
        target_id=None if act.target is None else act.target.id,
        request_id=context.request_id,
        net=context.net or None,
        cc=None,
        asn=None,
        body=body,
        actor_sealed=None if parts.actor is None else parts.actor.sealed,
        actor_key=None if parts.actor is None else parts.actor.key_id,
        subject_sealed=None if parts.subject is None else parts.subject.sealed,
        subject_key=None if parts.subject is None else parts.subject.key_id,
        mac=mac,
        mac_key=sealing.MAC_KEY,
    )
