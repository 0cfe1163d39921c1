"""``manage.py key_store_verified``: note that a backup of the key store was restored and read."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from encryption.rotation.destruction import verify_backup
from foundation.errors import DomainError


class Command(BaseCommand):
    """Without such a note since its keys moved away, no epoch can be destroyed."""

    help = "Note that a backup of the key store was restored and its keys opened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add name and time of the backup."""
        parser.add_argument("backup", help="name of the backup")
        parser.add_argument(
            "--taken-at", required=True, help="when it was taken: 2026-11-24T20:00:00+00:00"
        )

    def handle(self, *_args: object, **options: object) -> None:
        """Run the command."""
        try:
            taken_at = parse_datetime(str(options["taken_at"]))
        except ValueError:
            taken_at = None
        if taken_at is None or taken_at.tzinfo is None:
            raise CommandError("--taken-at is a time with its zone, 2026-11-24T20:00:00+00:00")
        try:
            verify_backup(str(options["backup"]), taken_at=taken_at)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"noted: backup {options['backup']} of {taken_at.isoformat()}")
