"""Addresses of the embedded servers, one per role, as environment variables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from portal.embedded import roles

# Variable -> role and database. ``DATABASE_URL`` serves the aliases ``default`` and ``journal``.
ALIASES: Mapping[str, tuple[roles.Role, str]] = {
    "DATABASE_URL": (roles.APP, roles.MAIN),
    "JOURNAL_READ_DATABASE_URL": (roles.JOURNAL_READER, roles.MAIN),
    "STAFF_DATABASE_URL": (roles.STAFF, roles.MAIN),
    "VAULT_DATABASE_URL": (roles.VAULT, roles.MAIN),
    "SEALER_DATABASE_URL": (roles.SEALER, roles.MAIN),
    "KEYS_DATABASE_URL": (roles.KEYS_ROLE, roles.KEYS),
    "KEYS_VAULT_DATABASE_URL": (roles.KEYS_VAULT, roles.KEYS),
}
_WEB = (
    "DATABASE_URL",
    "JOURNAL_READ_DATABASE_URL",
    "STAFF_DATABASE_URL",
    "KEYS_DATABASE_URL",
)
# What each process may hold; nobody gets a password of a role it does not use.
OF_WEB = _WEB
OF_WORKER = (*_WEB, "VAULT_DATABASE_URL", "KEYS_VAULT_DATABASE_URL")
OF_LOOPS = (*_WEB, "SEALER_DATABASE_URL")
OF_COMMANDS = tuple(ALIASES)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where both servers listen, and the passwords.

    Attributes:
        postgres_sockets: folder of PostgreSQL's socket.
        valkey_socket: Valkey's socket.
        secrets: what ``secrets.env`` holds.
        main: name of the main database (another one in tests).
        keys: name of the database of keys.
        valkey_database: number of the cache; the broker has the next one.
    """

    postgres_sockets: Path
    valkey_socket: Path
    secrets: Mapping[str, str]
    main: str = roles.MAIN
    keys: str = roles.KEYS
    valkey_database: int = 0

    def database(self, role: str, *, name: str) -> str:
        """Return the address of one database for one role."""
        host = quote(str(self.postgres_sockets), safe="/")
        return f"postgresql://{role}:{self.secrets[password_name(role)]}@/{name}?host={host}"

    def environment(self, variables: Iterable[str]) -> dict[str, str]:
        """Return the chosen variables of :data:`ALIASES` with their addresses."""
        chosen = {name: ALIASES[name] for name in variables}
        return {
            variable: self.database(role.name, name=self._actual(database))
            for variable, (role, database) in chosen.items()
        }

    def migrator_environment(self) -> dict[str, str]:
        """Return both databases with the role that owns the tables."""
        return {
            "DATABASE_URL": self.database(roles.MIGRATOR.name, name=self.main),
            "KEYS_DATABASE_URL": self.database(roles.MIGRATOR.name, name=self.keys),
        }

    def valkey_environment(self) -> dict[str, str]:
        """Return cache and broker."""
        secret = self.secrets["VALKEY_PASSWORD"]
        socket = quote(str(self.valkey_socket), safe="/")
        broker = self.valkey_database + 1
        return {
            "VALKEY_URL": f"unix://:{secret}@{socket}?db={self.valkey_database}",
            "BROKER_URL": f"redis+socket://:{secret}@{socket}?virtual_host={broker}",
        }

    def _actual(self, database: str) -> str:
        return self.main if database == roles.MAIN else self.keys


def password_name(role: str) -> str:
    """Return the name of a role's password in ``secrets.env``."""
    return f"{role.upper()}_PASSWORD"


SECRET_NAMES = (
    *(password_name(role.name) for role in roles.LOGIN_ROLES),
    password_name(roles.SUPERUSER),
    "VALKEY_PASSWORD",
    "SECRET_KEY",
)
