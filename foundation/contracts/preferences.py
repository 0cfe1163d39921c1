"""Port: language and theme of a signed-in person, kept by ``accounts``."""

from typing import Protocol

from django.http import HttpRequest

from foundation.registry import Port


class PreferenceStore(Protocol):
    """What keeps a person's choices; asked for signed-in people only."""

    def language(self, request: HttpRequest) -> str:
        """Return the language code the person chose, or an empty text."""

    def theme(self, request: HttpRequest) -> str:
        """Return ``light``, ``dark`` or an empty text for "as the system says"."""

    def save(self, request: HttpRequest, *, language: str | None, theme: str | None) -> None:
        """Keep a choice of the person who makes the request; None leaves one as it is."""


preferences_port: Port[PreferenceStore] = Port("preferences")
