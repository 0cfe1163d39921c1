"""The checks of what every installation depends on."""

import secrets
from functools import cache

from django.core.cache import cache as valkey
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from encryption import services as keys
from foundation.contracts.health import HealthAnswer, HealthCheck, HealthState

JOURNAL_TABLE = "audit_event"
_CACHE_SECONDS = 10
_MIGRATED = ("default", "keys")


def database() -> HealthAnswer:
    """Ask the main database for an answer."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    return _green("The database answers.")


def cache_answers() -> HealthAnswer:
    """Write a value to the cache and read it back."""
    expected = secrets.token_hex(8)
    key = f"health:{expected}"
    valkey.set(key, expected, timeout=_CACHE_SECONDS)
    if valkey.get(key) != expected:
        return _red("The cache does not keep what it is given.", "Start Valkey, or free memory.")
    return _green("The cache answers.")


def migrations() -> HealthAnswer:
    """Compare the schema of both databases with this release."""
    for alias in _MIGRATED:
        applied = MigrationRecorder(connections[alias]).applied_migrations()
        if not _of_this_release() <= set(applied):
            return _red("The schema is older than this release.", "Run manage.py migrate_all.")
    return _green("The schema is that of this release.")


def journal() -> HealthAnswer:
    """Say whether the journal takes entries: the right is there and the server is no replica."""
    with connections["journal"].cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%s, 'INSERT') AND NOT pg_is_in_recovery()", [JOURNAL_TABLE]
        )
        row = cursor.fetchone()
    if not row or not row[0]:
        return _red("The journal cannot be written.", "Check the role gatehouse_app.")
    return _green("The journal can be written.")


def key_access() -> HealthAnswer:
    """Open a key of the installation, which needs the keys database and the root key."""
    keys.probe()
    return _green("The keys can be used.")


ALL = (
    HealthCheck("database", database, ready=True),
    HealthCheck("cache", cache_answers, ready=True),
    HealthCheck("migrations", migrations, ready=True),
    HealthCheck("journal writable", journal, ready=True),
    HealthCheck("keys", key_access, ready=True),
)


@cache
def _of_this_release() -> frozenset[tuple[str, str]]:
    """Return the migrations of the code that this process runs; read once, it is slow."""
    return frozenset(MigrationLoader(connections["default"]).graph.nodes)


def _green(detail: str) -> HealthAnswer:
    return HealthAnswer(state=HealthState.GREEN, detail=detail)


def _red(detail: str, cure: str) -> HealthAnswer:
    return HealthAnswer(state=HealthState.RED, detail=detail, cure=cure)
