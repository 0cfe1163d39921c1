"""``manage.py reference``: check or write the generated reference pages."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from portal import reference


class Command(BaseCommand):
    """Compare ``docs/reference`` with the registries, or write it anew."""

    help = "Checks the generated pages of docs/reference, or writes them (--write)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--write``."""
        parser.add_argument("--write", action="store_true", help="write the pages")

    def handle(self, *args: object, **options: object) -> None:  # noqa: ARG002
        """Write, or fail where a page is stale."""
        if options["write"]:
            reference.write()
            return
        stale = reference.stale()
        if stale:
            raise CommandError(f"stale: {', '.join(stale)}; run manage.py reference --write")
