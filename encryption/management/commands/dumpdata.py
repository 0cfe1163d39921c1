"""``manage.py dumpdata``: sealed values are dumped as they are stored."""

from django.core.management.commands import dumpdata

from encryption.dumps import as_stored


class Command(dumpdata.Command):
    """Dump rows; sealed values stay sealed."""

    def handle(self, *app_labels: object, **options: object) -> None:
        """Dump rows."""
        with as_stored():
            super().handle(*app_labels, **options)
