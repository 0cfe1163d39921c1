"""What a start does once the schema is there: its mark, set-up code and demo data."""

from argparse import ArgumentParser

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from portal.installation import ForeignInstallation, mark, wanted_kind

# Commands of other packages, by name: each decides for itself whether there is anything to do.
SETUP_CODE = "setup_code"
LOAD_DEMO = "load_demo"


class Command(BaseCommand):
    """``manage.py prepare_installation``: run by ``serve`` before the portal's processes."""

    help = "Make a set-up code on an empty installation; with --demo load the demo data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept ``--demo``."""
        parser.add_argument("--demo", action="store_true")

    def handle(self, *_args: object, **options: object) -> None:
        """Call what is there."""
        try:
            mark(wanted_kind(demo=bool(options["demo"])))
        except ForeignInstallation as error:
            raise CommandError(str(error)) from error
        known = get_commands()
        if options["demo"] and LOAD_DEMO in known:
            call_command(LOAD_DEMO, stdout=self.stdout)
        if SETUP_CODE in known:
            call_command(SETUP_CODE, "--if-empty", stdout=self.stdout)
