"""``manage.py load_demo``: the made-up people and records of the demo."""

from django.core.management.base import BaseCommand, CommandError

from encryption.services import KeysUnavailable
from foundation.models import Installation
from portal.demo import loading


class Command(BaseCommand):
    """Load what is missing of the demo, on a database that is marked as one."""

    help = "Loads made-up people and records; refuses on a database that is no demo."

    def handle(self, *_args: object, **_options: object) -> None:
        """Load."""
        if not Installation.objects.filter(kind=Installation.Kind.DEMO).exists():
            raise CommandError("this database is no demo: made-up people are not loaded into it")
        try:
            loading.load()
        except loading.SecretsLost as lost:
            raise CommandError(str(lost)) from lost
        except KeysUnavailable as away:  # the rest is loaded at the next start
            self.stderr.write(f"Warning: the demo cannot be completed yet: {away}")
