"""``manage.py embedded_upgrade``: which PostgreSQL wrote the data, and what to do about it."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.embedded.binaries import DEFAULT_POSTGRES


class Command(BaseCommand):
    """Compare the version of the data with that of this release."""

    help = "Say whether the embedded PostgreSQL's data fit this release."
    requires_system_checks: list[str] = []

    def handle(self, *_args: object, **_options: object) -> None:
        """Print that nothing is to do, or refuse with the way to go on."""
        version = Path(settings.DATA_DIR) / "postgres" / "cluster" / "PG_VERSION"
        if not version.is_file():
            raise CommandError(f"There is no embedded PostgreSQL in {settings.DATA_DIR}.")
        found = version.read_text(encoding="utf-8").strip()
        if found == DEFAULT_POSTGRES:
            self.stdout.write(f"The data are of PostgreSQL {found}: nothing to do.")
            return
        raise CommandError(
            f"The data are of PostgreSQL {found}, this release runs {DEFAULT_POSTGRES} and cannot "
            f"convert them yet; go on with EMBEDDED_PG={found}."
        )
