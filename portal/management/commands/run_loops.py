"""``manage.py run_loops``: all registered loops, a thread and a connection each."""

import os
import signal
from threading import Event
from types import FrameType

from django.core.management.base import BaseCommand

from portal.loops import run_all


class Command(BaseCommand):
    """Run until SIGTERM or SIGINT; a loop runs in one process at a time, by advisory lock."""

    help = "Run the registered loops: sealer, sweeper, readers and others."

    def handle(self, *_args: object, **_options: object) -> None:
        """Start the threads and wait for the signal."""
        stop = Event()
        parent = os.getppid()

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            if os.getppid() != parent:
                os._exit(1)  # the supervisor was killed and takes the database along: end at once
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
        run_all(stop)
