"""A person's browser and a partner's program over real HTTP, one request at a time."""

import http.client
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from foundation.identifiers import uuid7
from portal.demo.people import STEP_SECONDS, DemoPerson, current_code

TIMEOUT_SECONDS = 20.0
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; redirects are not followed."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> dict[str, object]:
        """The object of a JSON answer."""
        return dict(json.loads(self.text))

    @property
    def reasons(self) -> set[str]:
        """Names of the checks that are red, where an answer tells them."""
        found = self.json.get("reasons")
        return set(found) if isinstance(found, dict) else set()


@dataclass(slots=True)
class PortalClient:
    """Talks to a portal on this machine and keeps cookies.

    Attributes:
        address: ``http://localhost:<port>``.
        cookies: by name.
        token: bearer token of a program; none for a browser.
    """

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    _csrf: str = ""

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page."""
        answer = self._ask("GET", path, b"", headers)
        found = _TOKEN.search(answer.text)
        self._csrf = found[1] if found else self._csrf
        return answer

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Send a form with the token of the last page that was read."""
        body = urlencode({**form, "csrfmiddlewaretoken": self._csrf}).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.address,
            "Referer": f"{self.address}{path}",
        }
        return self._ask("POST", path, body, headers)

    def send(self, method: str, path: str, body: object, **headers: str) -> Answer:
        """Send JSON as a program does."""
        given = {"Content-Type": "application/json", "Idempotency-Key": str(uuid7()), **headers}
        return self._ask(method, path, json.dumps(body).encode(), given)

    def sign_in(self, person: DemoPerson) -> Answer:
        """Sign in with passphrase and code, on the second try if the code was used."""
        for _ in range(2):
            self.get("/sign-in/")
            self.post("/sign-in/", {"login": person.email, "password": person.passphrase})
            self.get("/sign-in/code/")
            answer = self.post("/sign-in/code/", {"code": current_code(person.totp_secret)})
            if answer.status == 302:
                return answer
            time.sleep(STEP_SECONDS)  # a code works once
        raise AssertionError(f"{person.email} cannot sign in: {answer.status} {answer.text[:2000]}")

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=TIMEOUT_SECONDS)
        given = {"Host": parts.netloc, "User-Agent": "proof", **headers}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, body or None, given)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        self._keep(response)
        return Answer(response.status, response.headers, text)

    def _keep(self, response: http.client.HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
