"""Raw SQL as the web role, over the whole schema: the wall that stands when our code is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from django.apps import apps
from django.db.models import ForeignKey
from psycopg import sql

from accounts.models import Organisation
from foundation.identifiers import uuid7
from foundation.tenancy import SETTING
from portal.embedded.roles import APP, KEYS, KEYS_ROLE, KEYS_VAULT, MIGRATOR, ROLES, SUPERUSER
from tests.proofs import Tried
from tests.proofs_frame import catalogue
from tests.proofs_frame.conftest import Connect, Connection
from tests.proofs_frame.rows import filled_organisation

# Rows that belong to an organisation but must be found before one is known: reviewed, each with
# the reason. A table that is neither walled nor listed here fails the proof, as does a stale line.
BEFORE_AN_ORGANISATION_IS_KNOWN = {
    "accounts_invitation": "opened by the token of a mail, before anybody is signed in",
    "accounts_membership": "sign-in asks it which organisations a person may choose from",
    "accounts_role": "read with the membership that chooses the organisation",
    "alert": "written by rules over the whole journal; read by the operator's staff alone",
    "alert_channel": "belongs to the operator; read by the sender of alerts, which has no scope",
    "audit_event": "the web role may only insert; readers have a role of their own",
    "partners_onboarding": "exists before its organisation does; opened by a registration token",
    "partners_partnerclient": "a token names it, and it names the organisation",
}
WORKSPACE = ("workspace.", "integrations.vault")
JOURNAL = "audit_event"
CATALOGUE_CLAIM = "frame: the catalogue knows a wall or a reviewed reason for every table"


@pytest.fixture
def organisations(connect: Connect) -> tuple[Organisation, Organisation]:
    """Two organisations with rows in each walled table."""
    connect(APP.name)  # makes the fresh databases before the services write
    return filled_organisation(), filled_organisation()


@pytest.mark.proof(
    "frame: raw SQL as the web role without or with a foreign setting sees no row of any "
    "business table"
)
def test_raw_sql_of_the_web_role_sees_only_the_rows_of_its_setting(
    connect: Connect, organisations: tuple[Organisation, Organisation], tried: Tried
) -> None:
    app, root = connect(APP.name), connect(SUPERUSER)
    home, other = organisations
    tables = catalogue.walled_tables(root)
    rows = 0

    for table in tables:
        really = catalogue.count(root, table)
        own = catalogue.count(app, table, setting=home.pk)
        assert really > own > 0, f"{table} needs rows of two organisations for this proof"
        assert catalogue.count(app, table) == 0, table
        assert catalogue.count(app, table, setting=uuid7()) == 0, table
        assert own + catalogue.count(app, table, setting=other.pk) == really, table
        with _wall_off(root, table):
            assert catalogue.count(app, table) == really, f"{table}: the control shows nothing"
        assert catalogue.count(app, table) == 0, table
        tried.case(3)
        rows += really

    tried.figure(f"{len(tables)} tables with {rows} rows; with the wall off all rows were seen")


@pytest.mark.proof("frame: the web role can write no row for another organisation")
def test_no_row_can_be_written_or_moved_to_another_organisation(
    connect: Connect, organisations: tuple[Organisation, Organisation], tried: Tried
) -> None:
    app, root = connect(APP.name), connect(SUPERUSER)
    home, other = organisations
    tables = catalogue.walled_tables(root)

    for table in tables:
        foreign = _copy(root, table, of=other.pk)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            _insert(app, table, foreign, setting=home.pk)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            _insert(app, table, foreign, setting="")
        with pytest.raises(psycopg.errors.UniqueViolation):  # the control: only its key stops it
            _insert(app, table, foreign, setting=other.pk)
        _refuse_move(app, table, home.pk, other.pk)
        tried.case(3)


@pytest.mark.proof(CATALOGUE_CLAIM)
def test_every_table_with_an_organisation_is_walled_or_on_the_reviewed_list(
    connect: Connect, tried: Tried
) -> None:
    root = connect(SUPERUSER)
    found = catalogue.tables(root)

    owned = {table.name for table in found if table.has_organisation}
    walled = {table.name for table in found if table.is_walled}

    assert walled <= owned
    assert owned - walled == BEFORE_AN_ORGANISATION_IS_KNOWN.keys()
    for table in walled:
        assert catalogue.conditions(root, table) == {
            ("public", "ALL", _CONDITION),
            ("gatehouse_staff", "SELECT", "true"),
        }, table
    tried.case(len(owned))
    tried.figure(f"{len(walled)} walled, {len(owned - walled)} reviewed")


@pytest.mark.proof(CATALOGUE_CLAIM)
def test_every_model_of_the_workspace_with_an_organisation_has_a_policy(
    connect: Connect, tried: Tried
) -> None:
    walled = set(catalogue.walled_tables(connect(SUPERUSER)))
    models = [
        model
        for model in apps.get_models()
        if model.__module__.startswith(WORKSPACE)
        and any(
            isinstance(field, ForeignKey) and field.related_model is Organisation
            for field in model._meta.local_fields
        )
    ]

    missing = [model._meta.label for model in models if model._meta.db_table not in walled]

    assert missing == []
    tried.case(len(models))


@pytest.mark.proof("frame: no role of a running process owns a table or passes the walls")
def test_only_the_backup_passes_row_security_and_only_migrations_own_tables(
    connect: Connect, tried: Tried
) -> None:
    root = connect(SUPERUSER)
    attributes = {
        str(name): (bool(passes), bool(superuser))
        for name, passes, superuser in root.execute(
            "SELECT rolname, rolbypassrls, rolsuper FROM pg_roles WHERE rolname = ANY(%s)",
            [[role.name for role in ROLES]],
        ).fetchall()
    }
    owners = set[str]()
    for database in ("", KEYS):
        rows = connect(SUPERUSER, database).execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace"
        )
        owners |= {str(row[0]) for row in rows}
        tried.case()

    passing = {name for name, (passes, _) in attributes.items() if passes}
    assert passing == {"gatehouse_backup"}
    assert not any(superuser for _, superuser in attributes.values())
    assert owners == {MIGRATOR.name, "audit_owner"}
    members = root.execute("SELECT member::regrole::text FROM pg_auth_members").fetchall()
    assert {str(row[0]) for row in members} & {role.name for role in ROLES} == {MIGRATOR.name}
    tried.case(len(attributes))


@pytest.mark.proof("frame: the web role reads no payload of the vault and only adds to the journal")
def test_the_web_role_cannot_read_payloads_or_touch_entries(
    connect: Connect, organisations: tuple[Organisation, Organisation], tried: Tried
) -> None:
    app, root = connect(APP.name), connect(SUPERUSER)
    app.execute("SELECT set_config(%s, %s, false)", [SETTING, str(organisations[0].pk)])
    vault = connect("gatehouse_vault")
    vault.execute("SELECT set_config(%s, %s, false)", [SETTING, str(organisations[0].pk)])
    payload = "SELECT payload FROM vault_credential_version"

    for statement in (
        payload,
        "SELECT * FROM vault_credential_version",
        "UPDATE vault_credential_version SET payload = payload",
        "INSERT INTO vault_credential_version SELECT * FROM vault_credential_version",
        f"TABLE {JOURNAL}",
        f"SELECT FROM {JOURNAL}",
        "UPDATE audit_event SET type = 'x'",
        "DELETE FROM audit_event",
        f"TRUNCATE {JOURNAL}",
        *(f"{verb} {name}" for name in _partitions(root) for verb in ("TABLE", "DELETE FROM")),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            app.execute(statement)
        tried.case()

    assert len(vault.execute(payload).fetchall()) == 1  # the controls: both are really there
    assert root.execute(f"TABLE {JOURNAL}").fetchall()


@pytest.mark.proof("frame: the two roles of the keys database see none of each other's keys")
def test_the_roles_of_the_keys_database_cannot_reach_each_others_rows(
    connect: Connect, organisations: tuple[Organisation, Organisation], tried: Tried
) -> None:
    keys, vault = connect(KEYS_ROLE.name, KEYS), connect(KEYS_VAULT.name, KEYS)
    root = connect(SUPERUSER, KEYS)
    assert organisations

    for table in _keys_by_purpose(root):
        name = sql.Identifier(table)
        own = _purposes(keys, table), _purposes(vault, table)
        assert own[0] | own[1] == _purposes(root, table), table
        assert own[0] & own[1] == set(), table
        assert own[1] == {"vault"}, table
        _refuse_foreign(keys, name, "purpose = 'vault'")
        _refuse_foreign(vault, name, "purpose <> 'vault'")
        root.execute(sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(name))
        assert "vault" in _purposes(keys, table), "the control shows nothing"
        root.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name))
        tried.case(2)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        keys.execute("SELECT sealed_private_key FROM encryption_sealingkey")
    assert vault.execute("SELECT count(sealed_private_key) FROM encryption_sealingkey").fetchone()
    for secret in ("encryption_indexkey", "encryption_signingkey"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            vault.execute(sql.SQL("TABLE {}").format(sql.Identifier(secret)))
        tried.case()


_MOVE_REFUSED = "row-level security|permission denied"
_CONDITION = (
    f"({catalogue.COLUMN} = (NULLIF(current_setting('{SETTING}'::text, true), ''::text))::uuid)"
)


@contextmanager
def _wall_off(root: Connection, table: str) -> Iterator[None]:
    for words in (("DISABLE", "NO FORCE"), ("ENABLE", "FORCE")):
        for word in words:
            root.execute(
                sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(
                    sql.Identifier(table), sql.SQL(word)
                )
            )
        if words[0] == "DISABLE":
            yield


def _copy(root: Connection, table: str, *, of: UUID) -> dict[str, object]:
    """Return the columns of one row of an organisation."""
    names = catalogue.columns(root, table)
    row = root.execute(
        sql.SQL("SELECT {} FROM {} WHERE {} = %s LIMIT 1").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names),
            sql.Identifier(table),
            sql.Identifier(catalogue.COLUMN),
        ),
        [of],
    ).fetchone()
    assert row is not None, table
    return dict(zip(names, row, strict=True))


def _insert(
    connection: Connection, table: str, values: dict[str, object], *, setting: object
) -> None:
    connection.execute("SELECT set_config(%s, %s, false)", [SETTING, str(setting)])
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(map(sql.Literal, values.values())),
    )
    connection.execute(statement)


def _refuse_move(app: Connection, table: str, home: UUID, other: UUID) -> None:
    """Give a row away: the wall refuses it, or the right is missing, or a seal is bound to it."""
    app.execute("SELECT set_config(%s, %s, false)", [SETTING, str(home)])
    statement = sql.SQL("UPDATE {} SET {} = %s").format(
        sql.Identifier(table), sql.Identifier(catalogue.COLUMN)
    )
    with pytest.raises(psycopg.Error, match=_MOVE_REFUSED):
        app.execute(statement, [other])


def _partitions(root: Connection) -> list[str]:
    rows = root.execute(
        "SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE relid <> %s::regclass",
        [JOURNAL, JOURNAL],
    ).fetchall()
    return [str(row[0]) for row in rows]


def _keys_by_purpose(root: Connection) -> list[str]:
    rows = root.execute("SELECT DISTINCT tablename::text FROM pg_policies").fetchall()
    return [str(row[0]) for row in rows]


def _purposes(connection: Connection, table: str) -> set[str]:
    rows = connection.execute(
        sql.SQL("SELECT DISTINCT purpose FROM {}").format(sql.Identifier(table))
    ).fetchall()
    return {str(row[0]) for row in rows}


def _refuse_foreign(connection: Connection, table: sql.Identifier, condition: str) -> None:
    """Change foreign rows as the role may change its own: none is found."""
    changed = connection.execute(
        sql.SQL("UPDATE {} SET state = state WHERE {}").format(table, sql.SQL(condition))
    )
    assert changed.rowcount == 0
