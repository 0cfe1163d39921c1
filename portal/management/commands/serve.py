"""``manage.py serve``: all processes of the portal under one supervisor.

``manage.py`` hands this command over before Django is set up; this file makes it appear in
``manage.py help``.
"""

import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from portal.supervision.start import main


class Command(BaseCommand):
    """Run PostgreSQL, Valkey, web, worker, loops and beat."""

    help = "Run the portal with all its processes; --demo adds demo data and a mail sink."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the arguments of the supervisor."""
        parser.add_argument("--data", default="")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--demo", action="store_true")
        parser.add_argument("--web-workers", type=int, default=0)

    def handle(self, *_args: object, **_options: object) -> None:
        """Hand over to the supervisor."""
        sys.exit(main(sys.argv[2:]))
