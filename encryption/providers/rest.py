"""Calls to key services that speak JSON over HTTPS."""

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from encryption.providers.base import Refused, Unavailable
from encryption.providers.calls import CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS
from foundation.http import AnswerTooLarge, HttpAnswer, Limits, NoAnswer, TargetRefused
from foundation.http.own_services import OwnService

LIMITS: Final = Limits(
    connect_seconds=CONNECT_SECONDS,
    read_seconds=READ_SECONDS,
    total_seconds=TOTAL_SECONDS,
    answer_bytes=64 * 1024,
)
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON: Final = {"Content-Type": "application/json"}
_EARLY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, if it was neither busy nor broken.

    Attributes:
        status: its status.
        members: the JSON object; empty where it answered anything else.
    """

    status: int
    members: Mapping[str, object]

    @property
    def is_success(self) -> bool:
        """Whether it did what was asked."""
        return self.status == HTTPStatus.OK

    def text(self, *path: str) -> str:
        """Return a text of the answer.

        Raises:
            Unavailable: there is none, so this is no answer of such a service.
        """
        found = self.find(*path)
        if not isinstance(found, str) or not found:
            raise Unavailable(gettext_lazy("the key service gives a strange answer"))
        return found

    def find(self, *path: str) -> object:
        """Return a member of the answer, or None."""
        found: object = self.members
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


@dataclass(frozen=True, slots=True)
class Rest:
    """Speaks with one service.

    Attributes:
        ca_file: authorities that sign its certificate; None: the public ones.
    """

    ca_file: Path | None = None

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Fetch; errors as ``post``."""
        return self._answer("GET", url, headers, b"")

    def post(self, url: str, headers: Mapping[str, str], members: Mapping[str, object]) -> Answer:
        """Send JSON.

        Raises:
            Unavailable: no answer in time, or the service is busy or broken.
        """
        return self._answer("POST", url, {**headers, **_JSON}, json.dumps(members).encode())

    def post_form(self, url: str, fields: Mapping[str, str]) -> Answer:
        """Send a form, as token endpoints want it; errors as ``post``."""
        return self._answer("POST", url, _FORM, urlencode(fields).encode())

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            service = OwnService(LIMITS, self._authorities())
            answer = service.request(method, url, headers=headers, body=body)
        except (NoAnswer, AnswerTooLarge, TargetRefused) as error:
            raise Unavailable(
                format_lazy(gettext_lazy("the key service cannot be asked: {error}"), error=error)
            ) from error
        _require_rest(answer)
        return Answer(answer.status, _members(answer))

    def _authorities(self) -> str:
        if self.ca_file is None:
            return ""
        try:
            return self.ca_file.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            raise Unavailable(
                gettext_lazy("the certificates for the key service cannot be read")
            ) from error


def authorities() -> Path | None:
    """Return the file of authorities that the settings name, or None."""
    return Path(settings.KEY_SERVICE_CA_FILE) if settings.KEY_SERVICE_CA_FILE else None


class AccessTokens:
    """Keeps the access token of this process until shortly before it ends.

    Args:
        fetch: gives a token and the seconds that it lives.
    """

    def __init__(self, fetch: Callable[[], tuple[str, int]]) -> None:
        self._fetch = fetch
        self._lock = Lock()
        self._token = ""
        self._ends_at = 0.0

    def send(self, call: Callable[[Mapping[str, str]], Answer]) -> Answer:
        """Make a call with the header of the token, with a new token where the old one is refused.

        Raises:
            Refused: no token, or the service does not let its bearer do this.
            Unavailable: no answer.
        """
        answer = call(self._header())
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._token = ""
            answer = call(self._header())
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise Refused(
                gettext_lazy("the key service refuses us the key: check its state and our rights")
            )
        return answer

    def _header(self) -> Mapping[str, str]:
        with self._lock:
            if not self._token or time.monotonic() >= self._ends_at:
                self._token, seconds = self._fetch()
                self._ends_at = time.monotonic() + seconds - _EARLY_SECONDS
            return {"Authorization": f"Bearer {self._token}"}


def token_in(answer: Answer) -> tuple[str, int]:
    """Return the access token and its seconds from the answer of a token endpoint (RFC 6749, 5.1).

    Raises:
        Refused: the endpoint gives us none.
    """
    if not answer.is_success:
        raise Refused(gettext_lazy("the identity service refuses us: check our credentials"))
    seconds = answer.find("expires_in")
    return answer.text("access_token"), int(str(seconds)) if str(seconds).isdecimal() else 0


def decoded(text: str) -> bytes:
    """Return the bytes of a text in base64.

    Raises:
        Unavailable: it is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unavailable(gettext_lazy("the key service gives a strange answer")) from error


def _require_rest(answer: HttpAnswer) -> None:
    status = answer.status
    is_busy = status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
    if is_busy or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        words = gettext_lazy("the key service is busy or broken: it answers {status}")
        raise Unavailable(format_lazy(words, status=status))


def _members(answer: HttpAnswer) -> Mapping[str, object]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
