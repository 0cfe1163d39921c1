"""The clock of a test database: an offset row moves it, for requests, tasks and loops alike."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from foundation import clock
from foundation.models import Installation


def refresh() -> None:
    """Read the offset row; does nothing unless this process serves a test database."""
    if not settings.TEST_CLOCK:
        return
    found = Installation.objects.filter(kind=Installation.Kind.TEST).first()
    seconds = 0 if found is None else found.clock_offset_seconds
    clock.set_offset(timedelta(seconds=seconds))


class TestClock:
    """Middleware that reads the offset row before each request."""

    __test__ = False  # not a test class, whatever its name

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request under the moved clock."""
        refresh()
        return self.get_response(request)
