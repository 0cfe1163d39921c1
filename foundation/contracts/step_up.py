"""Port of step-up: recent authentication, asked by guards and implemented by accounts."""

from typing import Protocol

from django.http import HttpRequest

from foundation.registry import Port


class StepUp(Protocol):
    """What accounts implements."""

    def is_recent(self, request: HttpRequest, *, seconds: int) -> bool:
        """Say whether the person proved a strong factor within so many seconds."""

    def challenge_url(self, request: HttpRequest) -> str:
        """Return the address of the page that asks for the proof and leads back."""


step_up_port: Port[StepUp] = Port("step-up")
