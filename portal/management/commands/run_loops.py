"""``manage.py run_loops``: all registered loops, a thread and a connection each."""

import signal
from threading import Event

from django.core.management.base import BaseCommand

from portal.loops import run_all


class Command(BaseCommand):
    """Run until SIGTERM or SIGINT; a loop runs in one process at a time, by advisory lock."""

    help = "Run the registered loops: sealer, sweeper, readers and others."

    def handle(self, *_args: object, **_options: object) -> None:
        """Start the threads and wait for the signal."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        run_all(stop)
