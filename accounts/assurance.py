"""The policy of assurance: what a session must have proved, and how recently.

Implements the port of step-up (``foundation.contracts.step_up``).
"""

from urllib.parse import urlencode, urlsplit, urlunsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.urls import reverse

from accounts.principal import is_verified
from foundation import clock

PROVED_AT_KEY = "proved_at"
MUST_KEY = "must"
ENROLMENT_KEY = "enrolment"


def note_proof(request: HttpRequest) -> None:
    """Note that the person proved a strong factor just now."""
    request.session[PROVED_AT_KEY] = clock.now().timestamp()


def recently(request: HttpRequest, *, seconds: int) -> bool:
    """Say whether a strong factor was proved within so many seconds."""
    proved_at = request.session.get(PROVED_AT_KEY)
    if not is_verified(request.user) or not isinstance(proved_at, int | float):
        return False
    age = clock.now().timestamp() - proved_at
    return 0 <= age <= seconds


class SessionStepUp:
    """Step-up by the record of proofs in the session."""

    def is_recent(self, request: HttpRequest, *, seconds: int) -> bool:
        """Say whether the person proved a strong factor within so many seconds."""
        return recently(request, seconds=seconds)

    def challenge_url(self, request: HttpRequest) -> str:
        """Return the page that asks for a code and leads back.

        After a POST it leads back to the page of the form: a body is never kept (trap J).
        """
        query = urlencode({REDIRECT_FIELD_NAME: _way_back(request)})
        return f"{reverse('step_up')}?{query}"


def _way_back(request: HttpRequest) -> str:
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    sent_from = urlsplit(request.headers.get("Referer", ""))
    if sent_from.netloc != request.get_host():
        return "/"
    return urlunsplit(("", "", sent_from.path, sent_from.query, ""))
