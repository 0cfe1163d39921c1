"""Databases and roles of Gatehouse, for the embedded and for an external PostgreSQL.

Everything here may run again at each start: what exists is kept, what a newer release needs is
added. Source of the roles: docs/reference/database-roles.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

SUPERUSER = "gatehouse_root"
MAIN = "gatehouse"
KEYS = "gatehouse_keys"

_TRANSACTION_TIMEOUT_SINCE = 170_000


@dataclass(frozen=True, slots=True)
class Role:
    """One database role.

    Attributes:
        name: of the role.
        databases: which of ``gatehouse`` and ``gatehouse_keys`` it may connect to.
        login: false for a role that only owns tables.
        bypasses_row_security: true for the backup alone, else ``pg_dump`` stops.
        settings: defaults of its sessions.
        member_of: roles whose rights it inherits.
    """

    name: str
    databases: tuple[str, ...]
    login: bool = True
    bypasses_row_security: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    member_of: tuple[str, ...] = ()


AUDIT_OWNER = Role("audit_owner", (), login=False)
MIGRATOR = Role(
    "gatehouse_migrator",
    (MAIN, KEYS),
    settings={"lock_timeout": "4s", "statement_timeout": "5s"},
    member_of=(AUDIT_OWNER.name,),
)
APP = Role(
    "gatehouse_app",
    (MAIN,),
    settings={"idle_in_transaction_session_timeout": "30s", "transaction_timeout": "60s"},
)
JOURNAL_READER = Role("gatehouse_journal_reader", (MAIN,))
STAFF = Role("gatehouse_staff", (MAIN,))
VAULT = Role("gatehouse_vault", (MAIN,))
SEALER = Role("gatehouse_sealer", (MAIN,))
RETENTION = Role("gatehouse_retention", (MAIN,))
KEYS_ROLE = Role("gatehouse_keys", (KEYS,))
KEYS_VAULT = Role("gatehouse_keys_vault", (KEYS,))
BACKUP = Role("gatehouse_backup", (MAIN, KEYS), bypasses_row_security=True)

ROLES = (
    AUDIT_OWNER,
    MIGRATOR,
    APP,
    JOURNAL_READER,
    STAFF,
    VAULT,
    SEALER,
    RETENTION,
    KEYS_ROLE,
    KEYS_VAULT,
    BACKUP,
)
LOGIN_ROLES = tuple(role for role in ROLES if role.login)
_WRITERS = {MAIN: APP.name, KEYS: KEYS_ROLE.name}

Connection = psycopg.Connection[tuple[object, ...]]


def create_roles(connection: Connection, passwords: Mapping[str, str]) -> None:
    """Create the roles that are missing, and set attributes and session defaults of all.

    Args:
        connection: a superuser's, autocommit, to any database of the server.
        passwords: by role name; sent as SCRAM verifiers, never in clear.
    """
    known = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles")}
    for role in ROLES:
        if role.name not in known:
            _create(connection, role, passwords)
        _set_attributes(connection, role)
    for role in ROLES:
        for group in role.member_of:
            _run(connection, "GRANT {} TO {}", group, role.name)


def missing_roles(connection: Connection) -> tuple[str, ...]:
    """Return the names of the login roles that are not there yet."""
    known = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles")}
    return tuple(role.name for role in LOGIN_ROLES if role.name not in known)


def set_password(connection: Connection, role: str, password: str) -> None:
    """Give a role a password, sent as a SCRAM verifier, never in clear."""
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
        sql.Identifier(role), _verifier(connection, role, password)
    )
    connection.execute(statement)


def create_databases(connection: Connection) -> None:
    """Create both databases, unless they exist, and say who may connect to which."""
    known = {str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")}
    for name in (MAIN, KEYS):
        if name not in known:
            _run(connection, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", name)
        limit_connections(connection, name, like=name)
    for name in ("postgres", "template1"):
        _run(connection, "REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC", name)


def limit_connections(connection: Connection, name: str, *, like: str) -> None:
    """Let only the roles of ``like`` connect to the database ``name``."""
    _run(connection, "REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
    _run(connection, "GRANT CREATE ON DATABASE {} TO {}", name, MIGRATOR.name)
    for role in LOGIN_ROLES:
        verb = "GRANT {} TO {}" if like in role.databases else "REVOKE {} FROM {}"
        statement = sql.SQL(verb).format(sql.SQL("CONNECT ON DATABASE ") + sql.Identifier(name),
                                         sql.Identifier(role.name))  # fmt: skip
        connection.execute(statement)


def set_default_privileges(connection: Connection, *, like: str) -> None:
    """Say what roles may do with tables that migrations will create.

    Tables of a special kind (journal, credential payloads, vault keys) revoke and grant in their
    own migrations; roles not named here get nothing by default.

    Args:
        connection: a superuser's, to the database itself.
        like: ``gatehouse`` or ``gatehouse_keys``.
    """
    _run(connection, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    _run(connection, "GRANT USAGE ON SCHEMA public TO PUBLIC")
    for owner in (MIGRATOR.name, AUDIT_OWNER.name):
        _run(connection, "GRANT CREATE, USAGE ON SCHEMA public TO {}", owner)
        _by_default(connection, owner, "SELECT ON TABLES", BACKUP.name)
        _by_default(connection, owner, "SELECT ON SEQUENCES", BACKUP.name)
    writer = _WRITERS[like]
    _by_default(connection, MIGRATOR.name, "SELECT, INSERT, UPDATE, DELETE ON TABLES", writer)
    _by_default(connection, MIGRATOR.name, "USAGE, SELECT ON SEQUENCES", writer)


def _create(connection: Connection, role: Role, passwords: Mapping[str, str]) -> None:
    if not role.login:
        _run(connection, "CREATE ROLE {} NOLOGIN", role.name)
        return
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
        sql.Identifier(role.name), _verifier(connection, role.name, passwords[role.name])
    )
    connection.execute(statement)


def _verifier(connection: Connection, role: str, password: str) -> sql.Literal:
    made = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return sql.Literal(made.decode())


def _set_attributes(connection: Connection, role: Role) -> None:
    bypass = "BYPASSRLS" if role.bypasses_row_security else "NOBYPASSRLS"
    plain = f"ALTER ROLE {{}} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {bypass}"
    _run(connection, plain, role.name)
    for name, value in role.settings.items():
        if _knows(connection, name):
            statement = sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(role.name), sql.Identifier(name), sql.Literal(value)
            )
            connection.execute(statement)


def _knows(connection: Connection, setting: str) -> bool:
    return (
        setting != "transaction_timeout"
        or connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE
    )


def _by_default(connection: Connection, owner: str, rights: str, role: str) -> None:
    statement = "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT " + rights + " TO {}"
    _run(connection, statement, owner, role)


def _run(connection: Connection, statement: str, *names: str) -> None:
    """Run a statement of this module with names put in as identifiers."""
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
