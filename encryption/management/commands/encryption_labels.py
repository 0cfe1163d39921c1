"""``manage.py encryption_labels``: compare the labels of sealed fields with their registry."""

import tomllib
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from encryption import labels


class Command(BaseCommand):
    """Lists labels the registry lacks; ``--write`` adds them and never changes an entry."""

    help = "List sealed fields whose label is not registered; --write adds them."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add ``--write``."""
        parser.add_argument("--write", action="store_true", help="add the missing labels")

    def handle(self, *_args: object, **options: object) -> None:
        """Run the command."""
        new = labels.missing(labels.declared(), labels.registered())
        for label in new:
            self.stdout.write(f"{label.label}  {label.model}.{label.field}  {label.owner_kind}")
        if options["write"]:
            labels.append(new, release=_release())
        elif new:
            raise CommandError("labels are missing: run with --write and commit the file")


def _release() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
