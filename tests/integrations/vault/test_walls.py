"""Row-level security of the vault's tables."""

import pytest
from django.db import connection, transaction

from accounts.models import Organisation
from foundation.tenancy import organisation_scope
from integrations.vault import services
from tests.factories import records as people
from tests.factories import vault as make
from tests.factories.walls import row_security_off, rows_seen

TABLES = ("vault_credential", "vault_credential_version", "vault_lease", "vault_health_result")


@pytest.fixture
def home() -> Organisation:
    """Return an organisation with a row in each table."""
    of = people.organisation()
    alice = people.member(of, role="administrator")
    credential = make.credential(alice)
    with services.session(of.pk, credential.pk, purpose="test", principal=alice):
        pass
    with organisation_scope(of.pk):
        services.request_test(credential.pk, principal=alice)
    return of


@pytest.mark.parametrize("table", TABLES)
def test_raw_sql_without_or_with_a_foreign_setting_sees_no_row(
    table: str, home: Organisation
) -> None:
    other = people.organisation()

    assert rows_seen(table) == 0
    assert rows_seen(table, organisation_id=other.pk) == 0
    assert rows_seen(table, organisation_id=home.pk) > 0
    with row_security_off(table):
        assert rows_seen(table) > 0
    assert rows_seen(table) == 0


@pytest.mark.parametrize("table", TABLES)
def test_the_vaults_role_is_behind_the_same_wall(table: str, home: Organisation) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('gatehouse.organisation', '', true)")
        cursor.execute("SET LOCAL ROLE gatehouse_vault")
        if table == "vault_credential_version":
            cursor.execute("SELECT count(*) FROM vault_credential_version")
            assert cursor.fetchone() == (0,)
        cursor.execute("SET LOCAL ROLE gatehouse_app")
    assert rows_seen(table, organisation_id=home.pk) > 0


@pytest.mark.parametrize("table", TABLES)
def test_every_table_of_the_vault_has_a_forced_policy(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table]
        )
        assert cursor.fetchone() == (True, True)
