"""``manage.py replay_erasures``: erase once more whom a restore brought back."""

from django.core.management.base import BaseCommand, CommandError

from foundation.errors import DomainError
from privacy.services import replays


class Command(BaseCommand):
    """Run after the data was restored beside the current key store, before anybody is served."""

    help = "Repeat the erasures of the ledger on restored data; harmless to repeat."

    def handle(self, *_args: object, **_options: object) -> None:
        """Run the command."""
        try:
            done = replays.replay()
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"erasure ledger: {done.index.ledger} owners; came back: {done.people} people "
            f"({done.deleted} rows deleted, {done.shredded} shredded); blind index: "
            f"{done.index.digests} rows of {done.index.owners} owners deleted"
        )
