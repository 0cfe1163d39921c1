"""What a principal may see of credentials. Payloads are never among it."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Membership, User
from foundation import clock
from foundation.principals import ActorType, Principal
from foundation.tenancy import required_organisation
from integrations.vault.errors import CredentialNotFound
from integrations.vault.models import Credential, CredentialVersion, HealthResult
from integrations.vault.permissions import MANAGE, READ
from integrations.vault.types import (
    CredentialState,
    CredentialType,
    CredentialView,
    ResultState,
    ResultView,
    VersionState,
    VersionView,
)


def visible_to(principal: Principal) -> QuerySet[Credential]:
    """Return the credentials of the open organisation, for people who may see credentials."""
    credentials = Credential.objects.all()
    is_inside = principal.organisation_id == required_organisation()
    if not is_inside or principal.kind is not ActorType.USER:
        return credentials.none()
    if not (principal.may(READ.code) or principal.may(MANAGE.code)):
        return credentials.none()
    return credentials


def visible_credential(credential_id: UUID, *, principal: Principal) -> Credential:
    """Return a credential that a principal may see.

    Raises:
        CredentialNotFound: there is none, or not for this principal; the two look alike.
    """
    found = visible_to(principal).filter(pk=credential_id).first()
    if found is None:
        raise CredentialNotFound
    return found


def versions_of(credential_id: UUID) -> QuerySet[CredentialVersion]:
    """Return the versions of a credential, newest first, without their payloads.

    The web role may not select the payload column, so it is left out of every query.
    """
    versions: QuerySet[CredentialVersion] = CredentialVersion.objects.defer("payload")
    return versions.filter(credential_id=credential_id).order_by("-number")


def views_of(credentials: Sequence[Credential]) -> tuple[CredentialView, ...]:
    """Return credentials as lists show them."""
    owners = _names({credential.owner_id for credential in credentials})
    return tuple(_view(credential, owners) for credential in credentials)


def view_of(credential: Credential) -> CredentialView:
    """Return a credential with its versions, as its page shows it."""
    owners = _names({credential.owner_id})
    versions = tuple(
        VersionView(
            number=version.number,
            state=VersionState(version.state),
            created_at=version.created_at,
        )
        for version in versions_of(credential.pk)
    )
    return _view(credential, owners, versions)


def result_view(result: HealthResult) -> ResultView:
    """Return a test as pages show it."""
    return ResultView(
        id=result.pk,
        state=ResultState(result.state),
        code=result.code,
        status=result.status,
        elapsed_ms=result.elapsed_ms,
        requested_at=result.requested_at,
        finished_at=result.finished_at,
    )


def newest_result(credential_id: UUID) -> HealthResult | None:
    """Return the newest test of a credential, if there was one."""
    results = HealthResult.objects.filter(credential_id=credential_id)
    return results.order_by("-requested_at").first()


def same_secret_elsewhere(fingerprint: bytes) -> bool:
    """Say whether another credential of the organisation holds the same secret."""
    versions = CredentialVersion.objects.filter(fingerprint=fingerprint)
    return bool(versions.exclude(state=VersionState.DESTROYED).exists())


def colleagues() -> dict[UUID, str]:
    """Return names of the people who can be in charge: members of the open organisation."""
    now = clock.now()
    members = Membership.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=now),
        organisation_id=required_organisation(),
        valid_from__lte=now,
    )
    return _names(set(members.values_list("user_id", flat=True)))


def _names(user_ids: set[UUID | None] | set[UUID]) -> dict[UUID, str]:
    people = User.objects.filter(pk__in=[user_id for user_id in user_ids if user_id])
    return {user.pk: user.shown_name for user in people}


def _view(
    credential: Credential, owners: dict[UUID, str], versions: tuple[VersionView, ...] = ()
) -> CredentialView:
    return CredentialView(
        id=credential.pk,
        name=credential.name,
        type=CredentialType(credential.type),
        state=CredentialState(credential.state),
        purpose=credential.purpose,
        hosts=tuple(credential.allowed_hosts),
        probe_url=credential.probe_url,
        owner=owners.get(credential.owner_id, "") if credential.owner_id else "",
        version=credential.version,
        created_at=credential.created_at,
        last_used_at=credential.last_used_at,
        last_used_for=credential.last_used_for,
        versions=versions,
    )
