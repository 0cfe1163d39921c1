"""Principals: who makes a request, as all floors see it."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class ActorType(StrEnum):
    """Kinds of actors as the journal writes them (audit.md 2)."""

    USER = "user"
    INTEGRATION = "integration"
    SYSTEM = "system"
    VISITOR = "visitor"
    DB = "db"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever makes a request: a user, a partner client or a system task.

    Attributes:
        kind: type of actor.
        id: row id of the user or partner client; None for visitors and system tasks.
        subject_id: journal subject and owner of the data keys; users only.
        organisation_id: organisation in which the principal acts now.
        organisation_name: its name, which pages show; people only.
        permissions: codes the principal holds in that organisation.
        scopes: OAuth2 scopes of a token; empty for people.
        label: readable name for the sealed part of the journal, never shown in clear there.
        credential_id: client, key or token row that was used.
        session_tag: keyed hash that joins the entries of one session.
        on_behalf_of: subject for whom an integration or a staff member acts.
        is_staff: True for members of the operator's organisation.
        plan: code of the plan whose limits hold; empty where it is the standard one.
    """

    kind: ActorType
    id: UUID | None = None
    subject_id: UUID | None = None
    organisation_id: UUID | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    label: str = ""
    credential_id: UUID | None = None
    session_tag: bytes | None = None
    on_behalf_of: UUID | None = None
    is_staff: bool = False
    plan: str = ""
    organisation_name: str = ""

    # Django REST framework asks its request.user for these two.
    @property
    def is_authenticated(self) -> bool:
        """Whether somebody or something proved who it is."""
        return self.kind in {ActorType.USER, ActorType.INTEGRATION}

    @property
    def pk(self) -> UUID | None:
        """The id under the name that libraries expect."""
        return self.id

    def may(self, permission: str) -> bool:
        """Say whether the principal holds a permission in its organisation."""
        return permission in self.permissions

    def has_scope(self, scope: str) -> bool:
        """Say whether the principal's token carries a scope."""
        return scope in self.scopes


VISITOR = Principal(kind=ActorType.VISITOR)


def system(name: str, *, organisation_id: UUID | None = None) -> Principal:
    """Return the principal of a command, loop or task, named by its label."""
    return Principal(kind=ActorType.SYSTEM, label=name, organisation_id=organisation_id)
