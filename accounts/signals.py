"""Signals of libraries, each answered by one service call."""

from collections.abc import Mapping

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.services import authentication, sessions


@receiver(user_logged_in)
def note_session(request: HttpRequest, user: User, **_kwargs: object) -> None:
    """Put a new session into the list of its person."""
    sessions.start(request, user)


@receiver(user_login_failed)
def note_failure(
    credentials: Mapping[str, object], request: HttpRequest | None = None, **_kwargs: object
) -> None:
    """Write a failed attempt into the journal."""
    if request is not None:
        authentication.record_failure(request, credentials)
