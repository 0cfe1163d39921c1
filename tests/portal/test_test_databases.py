"""The tests' own databases keep the walls that they are meant to test."""

import psycopg
import pytest
from django.db import ProgrammingError, connections, transaction

from tests.servers import FreshDatabase
from tests.shared_connection.base import ROLES


def who(alias: str) -> tuple[str, str]:
    """Return the role and the login of an alias."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_user::text, session_user::text")
        role, login = cursor.fetchone() or ("", "")
    return str(role), str(login)


def test_ordinary_tests_work_as_the_web_role() -> None:
    assert who("default") == ("gatehouse_app", "gatehouse_test")
    assert who("keys") == ("gatehouse_keys", "gatehouse_test")


def test_each_alias_takes_its_own_role_and_gives_it_back() -> None:
    for alias, role in ROLES.items():
        assert who(alias) == (role, "gatehouse_test")

    assert who("default")[0] == "gatehouse_app"


def test_an_alias_has_only_the_rights_of_its_role() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")

    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic("staff"):
        connections["staff"].cursor().execute("SELECT count(*) FROM django_session")

    assert who("default")[0] == "gatehouse_app"


def test_aliases_see_the_open_transaction() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL gatehouse.probe = 'seen'")

    with connections["journal"].cursor() as cursor:
        cursor.execute("SELECT current_setting('gatehouse.probe', true)")
        assert cursor.fetchone() == ("seen",)


def test_a_fresh_database_has_a_real_login_for_each_role(fresh_database: FreshDatabase) -> None:
    expected = ROLES | {"default": "gatehouse_app", "keys": "gatehouse_keys"}

    for alias, role in expected.items():
        assert who(alias) == (role, role)

    assert fresh_database.servers.main in fresh_database.environment["DATABASE_URL"]


def test_what_a_fresh_database_commits_others_see(fresh_database: FreshDatabase) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO django_session VALUES ('a', 'b', '2026-01-01T00:00:00Z')")

    with psycopg.connect(fresh_database.environment["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM django_session").fetchone() == (1,)
