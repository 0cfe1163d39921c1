"""Credentials as registered ways out, and what the vault does for a person."""

import pytest

from accounts.models import User
from foundation.contracts.interfaces import find_interface, interface_sources
from foundation.contracts.personal_data import DataSubject, personal_data
from foundation.identifiers import uuid7
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from integrations.vault import services
from integrations.vault.models import Credential
from tests.factories import records as people
from tests.factories import vault as make


@pytest.fixture
def alice() -> Principal:
    return people.member(people.organisation(), role="administrator")


def code_of(credential: Credential) -> str:
    return f"credential:{credential.organisation_id}:{credential.pk}"


def test_a_credential_is_an_interface_with_its_hosts(alice: Principal) -> None:
    credential = make.credential(alice)

    found = find_interface(code_of(credential))

    assert found is not None
    assert found.hosts == {"api.example.com"}
    assert found.is_complete
    assert found.is_enabled
    assert found.credential_id == credential.pk


def test_a_destroyed_credential_is_an_interface_that_is_off(alice: Principal) -> None:
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        services.destroy(credential.pk, principal=alice)

    found = find_interface(code_of(credential))

    assert found is not None
    assert not found.is_enabled


@pytest.mark.parametrize("code", ["credential:x:y", "credential:", "credential", "other:1:2"])
def test_a_code_of_another_form_is_no_interface(code: str) -> None:
    assert find_interface(code) is None


def test_a_foreign_organisation_in_the_code_finds_nothing(alice: Principal) -> None:
    credential = make.credential(alice)

    assert find_interface(f"credential:{uuid7()}:{credential.pk}") is None


def test_the_inventory_lists_an_organisations_credentials(alice: Principal) -> None:
    credential = make.credential(alice)
    source = interface_sources.get("credential")

    listed = list(source.of_organisation(credential.organisation_id))

    assert [item.code for item in listed] == [code_of(credential)]
    assert list(source.of_organisation(None)) == []


def test_export_and_erasure_of_whoever_is_in_charge(alice: Principal) -> None:
    credential = make.credential(alice)
    user = User.objects.get(pk=str(alice.id))
    subject = DataSubject(
        user_id=user.pk,
        subject_id=user.subject_id,
        email=user.email,
        organisation_ids=(credential.organisation_id,),
    )
    handlers = personal_data.get("vault.credential").handlers
    assert handlers is not None

    (section,) = handlers.export(subject)
    planned, done, again = (
        handlers.preview(subject),
        handlers.erase(subject),
        handlers.erase(subject),
    )

    assert [row["name"] for row in section.rows] == [credential.name]
    assert make.KEY not in repr(section)
    assert (planned.kept, done.kept, again.kept) == (1, 1, 0)
    with organisation_scope(credential.organisation_id):
        assert Credential.objects.get().owner_id is None
