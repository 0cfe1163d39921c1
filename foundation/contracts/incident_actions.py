"""Incident actions: contributed acts of response, used by rules, cases and the incident plan."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from foundation.principals import Principal
from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class IncidentAction:
    """One act of response.

    Attributes:
        code: for example ``accounts.freeze``.
        label: name in words.
        permission: who may use it by hand.
        act: does it, given the object's id, the principal and the reason.
    """

    code: str
    label: str
    permission: str
    act: Callable[[UUID, Principal, str], None]


incident_actions: Registry[IncidentAction] = Registry(
    "incident actions", key=lambda action: action.code
)
