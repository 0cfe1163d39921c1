"""Bring both databases to the present schema, one process at a time."""

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

_LOCK = 7_316_002


class Command(BaseCommand):
    """``manage.py migrate_all``: needs the addresses of role ``gatehouse_migrator``."""

    help = "Migrate the main database and the database of keys under a lock."
    requires_system_checks: list[str] = []

    def handle(self, *_args: object, **options: object) -> None:
        """Take the lock on a connection of its own, then migrate."""
        lock = connections.create_connection("default")
        with lock.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            try:
                for alias in ("default", "keys"):
                    call_command("migrate", database=alias, verbosity=options["verbosity"])
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        lock.close()
