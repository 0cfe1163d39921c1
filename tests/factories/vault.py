"""Objects of the vault: API keys for a target, and what lies in the tables."""

from uuid import UUID

from django.db import connections

from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from integrations.vault.models import Credential
from integrations.vault.services import store_api_key
from integrations.vault.types import NewApiKey
from tests.factories.records import organisation_of

KEY = "planted-api-key-7Zq/9+x=&4711"
HEADER = "X-Api-Key"


def new_key(principal: Principal, **given: object) -> NewApiKey:
    """Return what is needed to store a key."""
    values: dict[str, object] = {
        "name": "ERP, read orders",
        "purpose": "show order states",
        "header": HEADER,
        "key": KEY,
        "hosts": ("api.example.com",),
        "probe_url": "https://api.example.com/me",
        "owner_id": principal.id,
        **given,
    }
    return NewApiKey(**values)  # type: ignore[arg-type]  # a test names what it needs


def credential(principal: Principal, **given: object) -> Credential:
    """Return a stored API key."""
    with organisation_scope(organisation_of(principal)):
        return store_api_key(new_key(principal, **given), principal=principal)


def everything_in(table: str, organisation_id: UUID) -> str:
    """Return all rows of a table, payloads too as the vault's role reads them, in hexadecimal."""
    alias = "vault" if table == "vault_credential_version" else "default"
    with (
        organisation_scope(organisation_id),
        organisation_scope(organisation_id, using="vault"),
        connections[alias].cursor() as cursor,
    ):
        cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")  # noqa: S608  our own names
        return "\n".join(str(row[0]) for row in cursor.fetchall())
