"""``manage.py event_reference``: write docs/reference/events.md."""

from django.core.management.base import BaseCommand

from audit import reference


class Command(BaseCommand):
    """Write the reference page of event types."""

    help = "Write docs/reference/events.md from the registered event types."

    def handle(self, *_args: object, **_options: object) -> None:
        """Write the page."""
        reference.write()
