"""The principal of a session: who acts, in which organisation, with which permissions."""

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpRequest

from accounts import queries
from accounts.models import User
from accounts.queries import Standing
from foundation.identifiers import parse_uuid
from foundation.principals import VISITOR, ActorType, Principal

ORGANISATION_KEY = "organisation"
TAG_KEY = "tag"


def of_request(request: HttpRequest) -> Principal:
    """Return the principal of a request; a visitor before the second factor.

    Memberships are read anew for each request, so a changed role acts at the next one.
    """
    user = request.user
    if not isinstance(user, User) and not getattr(user, "is_authenticated", False):
        return VISITOR
    person: User = user  # type: ignore[assignment]  # behind django-otp's lazy object
    if not is_verified(person) or person.is_frozen or not person.is_active:
        return VISITOR
    return of_user(
        person,
        wanted=parse_uuid(str(request.session.get(ORGANISATION_KEY, ""))),
        tag=_tag(request.session),
    )


def of_user(user: User, *, wanted: UUID | None = None, tag: bytes | None = None) -> Principal:
    """Return a person as principal in the wanted organisation, else at home, else anywhere.

    Args:
        user: the person.
        wanted: organisation to act in, which counts only for a member.
        tag: what joins the journal entries of one session.
    """
    standing = _chosen(queries.standings_of(user.pk), wanted, user.home_organisation_id)
    if standing is None:
        return bare(user, tag=tag)
    return Principal(
        kind=ActorType.USER,
        id=user.pk,
        subject_id=user.subject_id,
        organisation_id=standing.organisation.pk,
        permissions=queries.permission_codes(standing),
        label=user.email,
        session_tag=tag,
        is_staff=standing.organisation.is_operator,
        organisation_name=standing.organisation.name,
    )


def bare(user: User, *, tag: bytes | None = None) -> Principal:
    """Return a person without organisation and rights, as the journal names the actor."""
    return Principal(
        kind=ActorType.USER,
        id=user.pk,
        subject_id=user.subject_id,
        label=user.email,
        session_tag=tag,
    )


def is_verified(user: object) -> bool:
    """Say whether the session of a person was verified by a second factor."""
    return getattr(user, "otp_device", None) is not None


def _chosen(
    standings: tuple[Standing, ...], wanted: UUID | None, home: UUID | None
) -> Standing | None:
    by_id = {standing.organisation.pk: standing for standing in standings}
    for candidate in (wanted, home):
        if candidate in by_id:
            return by_id[candidate]
    return standings[0] if standings else None


def _tag(session: Mapping[str, object]) -> bytes | None:
    tag = session.get(TAG_KEY)
    return bytes.fromhex(tag) if isinstance(tag, str) else None
