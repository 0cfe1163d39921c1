"""``manage.py loaddata``: takes the sealed values of ``dumpdata``."""

from django.core.management.commands import loaddata

from encryption.dumps import as_stored


class Command(loaddata.Command):
    """Load rows; sealed values are stored as the dump holds them."""

    def handle(self, *fixture_labels: object, **options: object) -> None:
        """Load rows."""
        with as_stored():
            super().handle(*fixture_labels, **options)
