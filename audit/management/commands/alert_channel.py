"""``manage.py alert_channel ADDRESS...``: say where the operator's alerts go."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.alerts import channels
from foundation.errors import Invalid
from foundation.principals import system


class Command(BaseCommand):
    """Set the addresses of the operator's alert channel, replacing those of before."""

    help = "Set the e-mail addresses that get the operator's alerts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one or more addresses."""
        parser.add_argument("addresses", nargs="+")
        parser.add_argument("--language", default="en")

    def handle(self, *_args: object, addresses: list[str], language: str, **_more: object) -> None:
        """Set them."""
        try:
            channels.set_addresses(
                addresses, principal=system("manage.py alert_channel"), language=language
            )
        except Invalid as error:
            raise CommandError(error.message) from error
