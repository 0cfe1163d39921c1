"""``manage.py encryption_setup``: make what the key store needs before the first request."""

from django.core.management.base import BaseCommand, CommandError

from encryption import services


class Command(BaseCommand):
    """Checks the root key and makes the first epoch and, in zone ``vault``, the vault's keys."""

    help = "Check the root key and make the first keys; harmless to repeat."

    def handle(self, *_args: object, **_options: object) -> None:
        """Run the command."""
        try:
            services.prepare()
        except services.KeysUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"key store: {services.ring_state()}")
