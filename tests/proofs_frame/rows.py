"""Rows of two organisations in every table that row-level security keeps apart."""

from accounts.models import Organisation
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from integrations.vault import services as vault
from tests.factories import records as records_of
from tests.factories import vault as vault_of
from tests.factories.records import organisation_of
from workspace.records.models import RecordGrant, RecordGroupMember


def filled_organisation() -> Organisation:
    """Return an organisation with rows in each walled table, made by the services."""
    of = records_of.organisation()
    owner = records_of.member(of, role="administrator")
    _fill_records(owner)
    _fill_vault(owner)
    return of


def _fill_records(owner: Principal) -> None:
    saved = records_of.record(owner)
    place = {
        "organisation_id": organisation_of(owner),
        "record_id": saved.id,
        "user_id": owner.id,
    }
    with organisation_scope(organisation_of(owner)):
        RecordGrant(**place).save()
        RecordGroupMember(**place).save()


def _fill_vault(owner: Principal) -> None:
    organisation_id = organisation_of(owner)
    credential = vault_of.credential(owner)
    with vault.session(organisation_id, credential.pk, purpose="proof", principal=owner):
        pass
    with organisation_scope(organisation_id):
        vault.request_test(credential.pk, principal=owner)
