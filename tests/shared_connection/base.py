"""Let aliases of other roles see the test's open transaction, each with its own rights.

In an ordinary test everything happens in one transaction that is rolled back at the end. A second
connection would not see it, so these aliases use the connection of ``default`` (or ``keys``) and
take their role around each statement: grants and row-level security hold as they do outside.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from portal.embedded.roles import Connection

ROLES = {
    "journal": "gatehouse_app",
    "journal_read": "gatehouse_journal_reader",
    "staff": "gatehouse_staff",
    "vault": "gatehouse_vault",
    "sealer": "gatehouse_sealer",
    "keys_vault": "gatehouse_keys_vault",
}
OWNERS = {alias: "keys" if alias == "keys_vault" else "default" for alias in ROLES}

_OWN = frozenset({"alias", "settings_dict"})


class DatabaseWrapper:
    """Stands for an alias; all state is that of the alias whose connection it shares."""

    def __init__(self, settings_dict: dict[str, object], alias: str) -> None:
        self.settings_dict = settings_dict
        self.alias = alias

    def __getattr__(self, name: str) -> object:
        return getattr(self._owner(), name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in _OWN:
            super().__setattr__(name, value)
        else:
            setattr(self._owner(), name, value)

    def cursor(self) -> "RoleCursor":
        """Return a cursor that works with the rights of this alias."""
        owner = self._owner()
        return RoleCursor(owner.cursor(), owner=owner, role=ROLES[self.alias])

    def _prepare_cursor(self, cursor: object) -> "RoleCursor":
        """Wrap a cursor of the driver itself, as ``foundation.prepared`` does."""
        owner = self._owner()
        made = owner._prepare_cursor(cursor)  # type: ignore[attr-defined]  # left out of the stubs
        return RoleCursor(made, owner=owner, role=ROLES[self.alias])

    def chunked_cursor(self) -> "RoleCursor":
        """Return a server-side cursor that works with the rights of this alias."""
        owner = self._owner()
        return RoleCursor(owner.chunked_cursor(), owner=owner, role=ROLES[self.alias])

    def close(self) -> None:
        """Do nothing: the connection belongs to the other alias."""

    def close_if_unusable_or_obsolete(self) -> None:
        """Do nothing, as :meth:`close`."""

    def _owner(self) -> BaseDatabaseWrapper:
        return connections[OWNERS[self.alias]]


class RoleCursor:
    """A cursor whose statements run as one role."""

    def __init__(self, cursor: CursorWrapper, *, owner: BaseDatabaseWrapper, role: str) -> None:
        self._cursor = cursor
        self._owner = owner
        self._role = role

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[object]:
        return iter(self._cursor)

    def __enter__(self) -> Self:
        self._cursor.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cursor.__exit__(kind, error, trace)

    def execute(self, *arguments: object) -> object:
        """Run one statement."""
        return self._in_role("execute", *arguments)

    def executemany(self, *arguments: object) -> object:
        """Run one statement for each set of parameters."""
        return self._in_role("executemany", *arguments)

    @contextmanager
    def copy(self, *arguments: object) -> Iterator[object]:
        """Copy rows in or out."""
        with _role(self._owner.connection, self._role), self._cursor.copy(*arguments) as copy:
            yield copy

    def _in_role(self, method: str, *arguments: object) -> object:
        with _role(self._owner.connection, self._role):
            return getattr(self._cursor, method)(*arguments)


@contextmanager
def _role(connection: Connection, role: str) -> Iterator[None]:
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    try:
        yield
    finally:
        # After an error the transaction takes no statement; rolling back also takes back the role.
        if connection.info.transaction_status != TransactionStatus.INERROR:
            connection.execute("RESET ROLE")
