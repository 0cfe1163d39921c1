import pytest
from django.db import connection, connections
from pytest_django import Settings

from audit.models import AuditEvent
from encryption.errors import Erased, Refused
from encryption.services import open_from_vault, seal_to_vault
from foundation.errors import Conflict, Denied
from foundation.principals import Principal
from foundation.tenancy import organisation_scope
from integrations.vault import services
from integrations.vault.errors import (
    CredentialInvalid,
    CredentialNotFound,
    LeaseEnded,
    NotUsable,
    PayloadForeign,
    SessionMisused,
)
from integrations.vault.models import Credential, CredentialVersion, Lease
from integrations.vault.queries import same_secret_elsewhere, versions_of, view_of
from integrations.vault.services.payloads import (
    active_version,
    associated_data,
    fingerprint_of,
    open_api_key,
)
from integrations.vault.types import CredentialState, VersionState
from tests.factories import records as people
from tests.factories import vault as make

TABLES = ("vault_credential", "vault_credential_version", "vault_lease", "vault_health_result")


@pytest.fixture
def alice() -> Principal:
    return people.member(people.organisation(), role="administrator")


def opened(credential: Credential, principal: Principal) -> str:
    with organisation_scope(credential.organisation_id):
        version = active_version(credential)
    return open_api_key(credential, version, principal=principal).key


def entries(code: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.using("journal_read").filter(type=code).order_by("seq"))


def test_a_stored_key_opens_in_zone_vault_and_lies_nowhere_in_clear(alice: Principal) -> None:
    credential = make.credential(alice)

    assert opened(credential, alice) == make.KEY
    for table in TABLES:
        text = make.everything_in(table, credential.organisation_id)
        assert make.KEY not in text
        assert make.KEY.encode().hex() not in text
    for entry in AuditEvent.objects.using("journal_read").all():
        assert make.KEY not in entry.body


def test_the_web_role_cannot_select_a_payload(alice: Principal) -> None:
    credential = make.credential(alice)

    with (
        pytest.raises(Exception, match="permission denied"),
        organisation_scope(credential.organisation_id),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT payload FROM vault_credential_version")


def test_the_web_role_cannot_exchange_or_delete_a_payload(alice: Principal) -> None:
    credential = make.credential(alice)
    for statement in (
        "UPDATE vault_credential_version SET payload = 'x'",
        "UPDATE vault_credential_version SET credential_id = id",
        "DELETE FROM vault_credential_version",
    ):
        with (
            pytest.raises(Exception, match="permission denied"),
            organisation_scope(credential.organisation_id),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_the_staff_role_cannot_select_a_payload(alice: Principal) -> None:
    make.credential(alice)

    with connections["staff"].cursor() as cursor:
        cursor.execute("SELECT count(id) FROM vault_credential_version")
        assert cursor.fetchone() == (1,)
    with (
        pytest.raises(Exception, match="permission denied"),
        connections["staff"].cursor() as cursor,
    ):
        cursor.execute("SELECT payload FROM vault_credential_version")


@pytest.mark.parametrize("zone", ["web", "worker", ""])
def test_no_zone_but_vault_opens_a_key(alice: Principal, settings: Settings, zone: str) -> None:
    credential = make.credential(alice)
    settings.ZONE = zone

    with pytest.raises(Refused):
        opened(credential, alice)


def test_the_web_zone_can_store_a_key(alice: Principal, settings: Settings) -> None:
    make.credential(alice)  # the vault has its key pair by now
    settings.ZONE = "web"

    credential = make.credential(alice, name="another")

    settings.ZONE = "vault"
    assert opened(credential, alice) == make.KEY


def test_a_payload_is_bound_to_credential_version_and_hosts(alice: Principal) -> None:
    credential = make.credential(alice)
    hosts = ["a.example", "b.example"]
    bound = associated_data(credential.pk, version=1, hosts=hosts)
    sealed = seal_to_vault(b"secret", bound)

    assert open_from_vault(sealed, bound) == b"secret"
    assert associated_data(credential.pk, version=1, hosts=reversed(hosts)) == bound
    for other in (
        associated_data(make.credential(alice).pk, version=1, hosts=hosts),
        associated_data(credential.pk, version=2, hosts=hosts),
        associated_data(credential.pk, version=1, hosts=["a.example"]),
        associated_data(credential.pk, version=1, hosts=["a.exampleb", ".example"]),
    ):
        with pytest.raises(Exception, match=r"changed|belongs"):
            open_from_vault(sealed, other)


def test_a_key_does_not_open_for_a_changed_host_list(alice: Principal) -> None:
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        Credential.objects.update(allowed_hosts=["api.example.com", "evil.example"])
        credential.refresh_from_db()

    with pytest.raises(PayloadForeign):
        opened(credential, alice)
    assert entries("integrations.credential.tampered")


def test_a_key_does_not_open_for_another_version_number(alice: Principal) -> None:
    credential = make.credential(alice)
    with connection.cursor() as cursor, organisation_scope(credential.organisation_id):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE gatehouse_migrator")
        cursor.execute("UPDATE vault_credential_version SET number = 7")
        cursor.execute("SET LOCAL ROLE gatehouse_app")

    with pytest.raises(PayloadForeign):
        opened(credential, alice)


def test_a_payload_copied_to_another_credential_does_not_open(alice: Principal) -> None:
    first, second = make.credential(alice), make.credential(alice, name="another")
    with connection.cursor() as cursor, organisation_scope(first.organisation_id):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE gatehouse_migrator")
        cursor.execute(
            "UPDATE vault_credential_version SET payload = (SELECT payload FROM "
            "vault_credential_version WHERE credential_id = %s) WHERE credential_id = %s",
            [first.pk, second.pk],
        )
        cursor.execute("SET LOCAL ROLE gatehouse_app")

    assert opened(first, alice) == make.KEY
    with pytest.raises(PayloadForeign):
        opened(second, alice)
    assert entries("integrations.credential.tampered")


def test_a_destroyed_credential_opens_nothing_any_more(alice: Principal) -> None:
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        services.destroy(credential.pk, principal=alice)
        credential.refresh_from_db()
        view = view_of(credential)
    assert view.state == CredentialState.DESTROYED
    assert [version.state for version in view.versions] == [VersionState.DESTROYED]

    with pytest.raises(NotUsable):
        opened(credential, alice)
    with (
        organisation_scope(credential.organisation_id),
        organisation_scope(credential.organisation_id, using="vault"),
    ):
        version = CredentialVersion.objects.using("vault").get()
        with pytest.raises(Erased):
            _ = version.payload
    assert entries("integrations.credential.destroyed")


def test_a_new_key_takes_the_place_of_the_one_that_is_named(alice: Principal) -> None:
    credential = make.credential(alice)
    with organisation_scope(credential.organisation_id):
        services.store_version(
            credential.pk, header="X-Key", key="a new planted key", replaces=1, principal=alice
        )
        with pytest.raises(Conflict):
            services.store_version(
                credential.pk, header="X-Key", key="a third key", replaces=1, principal=alice
            )
        credential.refresh_from_db()
        states = [version.state for version in versions_of(credential.pk)]

    assert opened(credential, alice) == "a new planted key"
    assert states == [VersionState.ACTIVE, VersionState.PREVIOUS]


def test_a_key_that_is_stored_twice_is_noticed(alice: Principal) -> None:
    credential = make.credential(alice)

    with organisation_scope(credential.organisation_id):
        assert same_secret_elsewhere(fingerprint_of(make.KEY))
        assert not same_secret_elsewhere(fingerprint_of("another key"))


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"purpose": "a\x00b"}, "/purpose"),
        ({"header": "Bad\r\nHeader"}, "/header"),
        ({"header": "Host"}, "/header"),
        ({"key": "short"}, "/key"),
        ({"key": "line\r\nbreak in it"}, "/key"),
        ({"key": "x" * 1_000_000}, "/key"),
        ({"hosts": ()}, "/hosts"),
        ({"hosts": ("https://api.example.com/",)}, "/hosts"),
        ({"hosts": tuple(f"h{n}.example" for n in range(30))}, "/hosts"),
        ({"probe_url": "http://api.example.com/"}, "/probe_url"),
        ({"probe_url": "https://other.example/"}, "/probe_url"),
        ({"probe_url": "https://api.example.com:22/"}, "/probe_url"),
        ({"probe_url": "https://u:p@api.example.com/"}, "/probe_url"),
        ({"probe_url": "not an address"}, "/probe_url"),
    ],
)
def test_a_wrong_part_is_refused_by_its_name_and_nothing_is_stored(
    alice: Principal, wrong: dict[str, object], pointer: str
) -> None:
    with pytest.raises(CredentialInvalid) as caught:
        make.credential(alice, **wrong)

    assert [error.pointer for error in caught.value.errors] == [pointer]
    assert make.KEY not in str(caught.value)
    with organisation_scope(people.organisation_of(alice)):
        assert not Credential.objects.exists()


def test_a_stranger_cannot_be_put_in_charge(alice: Principal) -> None:
    stranger = people.member(people.organisation())

    with pytest.raises(CredentialInvalid):
        make.credential(alice, owner_id=stranger.id)


def test_managing_needs_its_permission(alice: Principal) -> None:
    credential = make.credential(alice)
    reader = people.without(alice, "integrations.credential.manage")

    with pytest.raises(Denied):
        make.credential(reader)
    with organisation_scope(credential.organisation_id):
        with pytest.raises(Denied):
            services.destroy(credential.pk, principal=reader)
        with pytest.raises(Denied):
            services.request_test(credential.pk, principal=reader)


def test_a_foreign_credential_looks_as_if_it_did_not_exist(alice: Principal) -> None:
    credential = make.credential(alice)
    carol = people.member(people.organisation(), role="administrator")

    with organisation_scope(people.organisation_of(carol)):
        with pytest.raises(CredentialNotFound):
            services.destroy(credential.pk, principal=carol)
        with pytest.raises(CredentialNotFound):
            services.request_test(credential.pk, principal=carol)
        with pytest.raises(CredentialNotFound):
            services.store_version(
                credential.pk, header="X-Key", key="a new key", replaces=1, principal=carol
            )
    with (
        pytest.raises(CredentialNotFound),
        services.session(
            people.organisation_of(carol), credential.pk, purpose="test", principal=carol
        ),
    ):
        pass


def test_a_session_inside_a_transaction_is_refused(alice: Principal) -> None:
    credential = make.credential(alice)

    with (
        pytest.raises(SessionMisused),
        organisation_scope(credential.organisation_id),
        services.session(
            credential.organisation_id, credential.pk, purpose="test", principal=alice
        ),
    ):
        pass


def test_a_session_keeps_a_lease_that_ends_with_it(alice: Principal) -> None:
    credential = make.credential(alice)

    with services.session(
        credential.organisation_id, credential.pk, purpose="test", principal=alice
    ) as calls:
        assert make.KEY not in repr(calls)
        with organisation_scope(credential.organisation_id):
            assert Lease.objects.filter(ended_at__isnull=True).count() == 1

    with organisation_scope(credential.organisation_id):
        lease = Lease.objects.get()
        credential.refresh_from_db()
    assert lease.end_reason == "done"
    assert credential.last_used_for == "test"


def test_destroying_stops_a_running_session_at_its_next_call(alice: Principal) -> None:
    credential = make.credential(alice)

    with (  # noqa: PT012  the session must see both acts
        pytest.raises(LeaseEnded),
        services.session(
            credential.organisation_id, credential.pk, purpose="test", principal=alice
        ) as calls,
    ):
        destroyed_meanwhile(credential, alice)
        calls.get("https://api.example.com/me")

    with organisation_scope(credential.organisation_id):
        assert Lease.objects.get().end_reason == "destroyed"


def destroyed_meanwhile(credential: Credential, principal: Principal) -> None:
    with organisation_scope(credential.organisation_id):
        services.destroy(credential.pk, principal=principal)
