"""The client behind an access token, read anew at each request of the API.

The statement is written out: to compose it, Django takes ten times as long as PostgreSQL takes to
answer it, and every request pays for it (docs/reference/benchmarks.md, partner API list).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

from django.db import router
from django.db.models import Model
from oauth2_provider.models import AccessToken

from accounts.models import Organisation
from foundation import clock, prepared
from integrations.partners.digests import digest_of
from integrations.partners.models import PartnerClient

Row = TypeVar("Row", bound=Model)

# All that is judged, noted or named at a request; anything else of the client loads when touched.
_CLIENT: Final = frozenset(
    {
        "id",
        "name",
        "is_active",
        "revoked_at",
        "valid_until",
        "allowed_scopes",
        "ip_allowlist",
        "plan",
        "last_used_at",
        "last_used_net",
        "organisation_id",
        "acts_in_id",
    }
)
_ORGANISATION: Final = frozenset({"id", "status"})


@dataclass(frozen=True, slots=True)
class Granted:
    """What a token says: whose it is, and which scopes it was given."""

    client: PartnerClient
    scopes: frozenset[str]


def granted_by(token: str) -> Granted | None:
    """Return the client and scopes of a token that has not ended; the client is not judged yet."""
    using = router.db_for_read(PartnerClient)
    rows = prepared.fetch(_statement(), [digest_of(token), clock.now()], using=using)
    if not rows:
        return None
    scope, *values = rows[0]
    client = _made(PartnerClient, _CLIENT, values)
    client.organisation = _made(Organisation, _ORGANISATION, values)
    client.acts_in = _made(Organisation, _ORGANISATION, values)
    return Granted(client, frozenset(str(scope).split()))


def _made(model: type[Row], names: frozenset[str], values: list[object]) -> Row:
    """Return an object of the first of these values, which it takes away."""
    columns = _columns(model, names)
    mine = [values.pop(0) for _ in columns]
    return model.from_db(router.db_for_read(model), columns, mine)


@cache
def _columns(model: type[Model], names: frozenset[str]) -> tuple[str, ...]:
    """Return names in the order of the model's columns, as ``from_db`` takes them."""
    found = [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001  Django's API
    return tuple(name for name in found if name in names)


@cache
def _statement() -> str:
    tokens = AccessToken._meta.db_table  # noqa: SLF001
    clients = PartnerClient._meta.db_table  # noqa: SLF001
    organisations = Organisation._meta.db_table  # noqa: SLF001
    chosen = [
        "token.scope",
        *(f"client.{name}" for name in _columns(PartnerClient, _CLIENT)),
        *(f"organisation.{name}" for name in _columns(Organisation, _ORGANISATION)),
        *(f"acts_in.{name}" for name in _columns(Organisation, _ORGANISATION)),
    ]
    return (
        f"SELECT {', '.join(chosen)} FROM {tokens} token "  # noqa: S608  names of models only
        f"JOIN {clients} client ON client.id = token.application_id "
        f"JOIN {organisations} organisation ON organisation.id = client.organisation_id "
        f"JOIN {organisations} acts_in ON acts_in.id = client.acts_in_id "
        "WHERE token.token_checksum = %s AND token.expires > %s"
    )
