"""Print the address at which the first administrator sets the portal up."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.errors import SetUpClosed
from accounts.services import set_up


class Command(BaseCommand):
    """``manage.py setup_code``: one address, good once and for one hour."""

    help = "Print a new set-up address; older ones die. Refused once there is an administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept ``--if-empty``."""
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="print nothing unless this is the first start of an empty installation",
        )

    def handle(self, *_args: object, **options: object) -> None:
        """Make the code and print its address."""
        if options["if_empty"] and not set_up.is_first_start():
            return
        try:
            code = set_up.make_code()
        except SetUpClosed as error:
            raise CommandError(error.message) from error
        path = reverse("set_up", args=[code])
        if options["if_empty"]:
            self.stdout.write(f"setup-code: {path}")  # read by the supervisor, which has the host
            return
        self.stdout.write(f"First administrator (once, 1 hour): {settings.BASE_URL}{path}")
