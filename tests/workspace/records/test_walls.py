"""Row-level security of the tables of records: the wall that stands when our code is wrong."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Organisation
from foundation.tenancy import organisation_scope
from tests.factories import records as make
from tests.factories.walls import row_security_off, rows_seen
from workspace.records.models import RecordGrant, RecordGroupMember, RecordValue
from workspace.records.types import Visibility

TABLES = (
    "records_record",
    "records_value",
    "records_version",
    "records_grant",
    "records_group_member",
)


@pytest.fixture
def home() -> Organisation:
    """Return an organisation with a row in each table."""
    of = make.organisation()
    owner = make.member(of)
    saved = make.record(owner)
    place = {"organisation_id": of.pk, "record_id": saved.id, "user_id": owner.id}
    with organisation_scope(of.pk):
        RecordGrant(**place).save()
        RecordGroupMember(**place).save()
    return of


@pytest.mark.parametrize("table", TABLES)
def test_raw_sql_without_or_with_a_foreign_setting_sees_no_row(
    table: str, home: Organisation
) -> None:
    other = make.organisation()

    assert rows_seen(table) == 0
    assert rows_seen(table, organisation_id=other.pk) == 0
    assert rows_seen(table, organisation_id=home.pk) > 0
    with row_security_off(table):
        assert rows_seen(table) > 0
    assert rows_seen(table) == 0


@pytest.mark.parametrize("table", TABLES)
def test_every_table_of_records_has_a_forced_policy(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table]
        )
        assert cursor.fetchone() == (True, True)


def test_a_row_cannot_be_written_for_another_organisation(home: Organisation) -> None:
    other = make.organisation()
    owner = make.member(home)
    saved = make.record(owner)
    assert owner.id is not None
    grant = RecordGrant(organisation_id=other.pk, record_id=saved.id, user_id=owner.id)

    with organisation_scope(home.pk), pytest.raises(Exception, match="row-level security"):
        grant.save()


def test_a_value_cannot_point_to_a_record_of_another_organisation(
    home: Organisation,
) -> None:
    other = make.organisation()
    foreign = make.record(make.member(other), visibility=Visibility.ORGANISATION)

    value = RecordValue(
        organisation_id=home.pk, record_id=foreign.id, field="name", plain_text="DE"
    )

    with pytest.raises(IntegrityError), transaction.atomic(), organisation_scope(home.pk):
        saved_and_checked(value)


def saved_and_checked(value: RecordValue) -> None:
    value.save()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_web_role_may_not_truncate_or_alter() -> None:
    for statement in (
        "TRUNCATE records_value",
        "ALTER TABLE records_value DISABLE ROW LEVEL SECURITY",
    ):
        with (
            pytest.raises(Exception, match=r"permission denied|must be owner"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
