"""Interfaces: each registered way in or out, and where upper floors keep theirs.

``foundation.http`` refuses a call without a complete interface, and the inventory page lists
what the sources tell (integrations.md 1). Ways that are fixed in the code are registered as
:class:`Interface` in ``interfaces``; ways that are rows (a vault credential, a webhook endpoint)
are told by an :class:`InterfaceSource`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from foundation.registry import Registry


class Direction(StrEnum):
    """Which way data goes."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class PrivateTarget:
    """An address inside our own networks that one interface may reach.

    Set by staff with a reason. The metadata addresses of clouds are refused even so.

    Attributes:
        host: exact name or address, lower case.
        port: exact port, which replaces the usual two for this host.
        ca_bundle: certificates in PEM that sign this target; only they are trusted for it.
    """

    host: str
    port: int
    ca_bundle: str


@dataclass(frozen=True, slots=True)
class Interface:
    """One way in or out of this installation.

    Attributes:
        code: ``<kind>`` or ``<kind>:<id>``, unique.
        kind: ``credential``, ``partner_client``, ``webhook_endpoint``, ``siem_sink`` and so on.
        direction: which way data goes.
        owner: person or team in charge, for the inventory page.
        purpose: why it exists, in words of the operator.
        hosts: exact host names that calls may name, lower case.
        data_classes: classes of privacy.md that travel.
        recipients: who gets the data.
        private_targets: exceptions from the ban on private addresses.
        organisation_id: whose interface it is; None for the operator's own.
        credential_id: vault credential it uses.
        documents: agreements and descriptions.
        last_used_at: last use known.
        is_enabled: False while killed, suspended or not yet finished.
    """

    code: str
    kind: str
    direction: Direction
    owner: str
    purpose: str
    hosts: frozenset[str] = frozenset()
    data_classes: frozenset[str] = frozenset()
    recipients: tuple[str, ...] = ()
    private_targets: tuple[PrivateTarget, ...] = ()
    organisation_id: UUID | None = None
    credential_id: UUID | None = None
    documents: tuple[str, ...] = ()
    last_used_at: datetime | None = None
    is_enabled: bool = True

    @property
    def is_complete(self) -> bool:
        """Whether everything is named without which an interface stays off."""
        needs_hosts = self.direction is not Direction.IN
        return bool(self.owner and self.purpose and (self.hosts or not needs_hosts))


class InterfaceSource(Protocol):
    """Tells the interfaces of one kind that are rows."""

    @property
    def kind(self) -> str:
        """Kind of all interfaces it tells."""
        ...

    def find(self, code: str) -> Interface | None:
        """Return the interface as it stands now, or None."""
        ...

    def of_organisation(self, organisation_id: UUID | None) -> Iterable[Interface]:
        """Return the interfaces of an organisation; None: the operator's own."""
        ...


interfaces: Registry[Interface] = Registry("interfaces", key=lambda item: item.code)
interface_sources: Registry[InterfaceSource] = Registry(
    "interface sources", key=lambda item: item.kind
)


def find_interface(code: str) -> Interface | None:
    """Return the registered interface of a code, or None if nobody knows it."""
    known = interfaces.find(code)
    if known is not None:
        return known
    source = interface_sources.find(code.partition(":")[0])
    return None if source is None else source.find(code)


def is_registered(interface: Interface) -> bool:
    """Say whether an interface is one of ours: declared, or of a kind that a source tells."""
    return interfaces.find(interface.code) == interface or interface.kind in interface_sources
