"""What a start does once the schema is there: mark, first keys, demo data and set-up code."""

from argparse import ArgumentParser

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.installation import ForeignInstallation, mark, wanted_kind


class Command(BaseCommand):
    """``manage.py prepare_installation``: run by ``serve`` before the portal's processes."""

    help = "Make the first keys and a set-up code; with --demo load the demo data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept ``--demo``."""
        parser.add_argument("--demo", action="store_true")

    def handle(self, *_args: object, **options: object) -> None:
        """Call what is there."""
        try:
            mark(wanted_kind(demo=bool(options["demo"])))
        except ForeignInstallation as error:
            raise CommandError(str(error)) from error
        call_command("encryption_setup", stdout=self.stdout)
        if options["demo"]:
            call_command("load_demo", stdout=self.stdout)
        call_command("setup_code", "--if-empty", stdout=self.stdout)
