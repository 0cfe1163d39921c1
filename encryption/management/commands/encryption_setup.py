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
        except services.Refused as error:
            raise CommandError(str(error)) from error
        except services.KeysUnavailable as error:
            self._go_on_sealed(error)
        self.stdout.write(f"key store: {services.ring_state()}")

    def _go_on_sealed(self, error: services.KeysUnavailable) -> None:
        """Let a portal start whose keys exist: it serves what needs none, and recovers by itself.

        Raises:
            CommandError: there are no keys yet, or the keys database is away.
        """
        try:
            is_prepared = services.is_prepared()
        except services.KeysUnavailable:
            is_prepared = False
        if not is_prepared:
            raise CommandError(str(error)) from error
        self.stderr.write(f"Warning: sealed data cannot be used yet: {error}")
