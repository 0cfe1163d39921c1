"""``manage.py prepare_database``: databases and roles on a PostgreSQL of the operator's own.

``manage.py`` hands this command over before Django is set up, because the settings it prints do not
exist yet; this file makes it appear in ``manage.py help``.
"""

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from portal.embedded.external import main


class Command(BaseCommand):
    """Make databases and roles and print the settings to set."""

    help = "Make databases and roles on your own PostgreSQL and print the settings to set."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the arguments of the handed-over command."""
        parser.add_argument("--new-passwords", action="store_true")

    def handle(self, *_args: object, **_options: object) -> None:
        """Hand over."""
        sys.exit(main(sys.argv[2:]))
