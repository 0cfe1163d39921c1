"""Without database, cache, root key or keys database: a clear error, nothing half written."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from operations.health import services
from tests.e2e.stack import ROOT
from tests.proofs import Tried
from tests.proofs_frame.outages import (
    PUBLIC_NAME,
    Portal,
    places_that_stay_inside,
    running_portal,
)
from tests.proofs_frame.portal_client import Answer, PortalClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CLAIM = "frame: without {}: a clear error with its request id, nothing half written, then recovery"
OAUTH2 = "API token"  # its answers have a form of their own (RFC 6749, 5.2); the id is a header
PROBLEM = "application/problem+json"
RECORD = {"legal_name": "Outage Ltd", "phone": "+49 30 7654321", "iban": ""}
# What an attempt may leave even if it fails, and what the portal's own loops write meanwhile.
LEFT = (
    "audit_",
    "alert",
    "detection_",
    "axes_",
    "django_session",
    "accounts_usersession",
    "rest_idempotencyrecord",
    "oauth2_",
    "encryption_datakey",  # a key may be made before a write that then fails
)


@dataclass(slots=True)
class Clients:
    """Who asks during an outage.

    Attributes:
        visitor: nobody.
        person: signed in before the outage.
        program: a partner on its way in, with a registration token.
        onboarding: address of its onboarding.
    """

    visitor: PortalClient
    person: PortalClient
    program: PortalClient
    onboarding: str


@dataclass(slots=True)
class Outage:
    """What was asked while something was away."""

    portal: Portal
    clients: Clients
    answers: dict[str, Answer] = field(default_factory=dict)

    def ask_everything(self) -> None:
        """Ask pages and API, reading and writing."""
        clients = self.clients
        asks: dict[str, Callable[[], Answer]] = {
            "sign-in page": lambda: clients.visitor.get("/sign-in/"),
            "sign-in": lambda: clients.visitor.post(
                "/sign-in/", {"login": "nobody@example.test", "password": "wrong wrong wrong"}
            ),
            "home": lambda: clients.person.get("/"),
            "list": lambda: clients.person.get("/records/"),
            "write": lambda: clients.person.post("/records/new/company/", RECORD),
            "API read": lambda: clients.program.get(clients.onboarding),
            "API write": self._patch,
            "API start": lambda: clients.program.send(
                "POST",
                "/api/v1/onboardings",
                {"email": "outage@partner.example", "language": "en"},
            ),
            OAUTH2: lambda: clients.program.send("POST", "/oauth2/token", {}),
        }
        self.answers = {name: ask() for name, ask in asks.items()}

    def unclear(self) -> list[str]:
        """Return what is wrong with the answers, refused or not."""
        inside = places_that_stay_inside(self.portal)
        findings = []
        for name, answer in self.answers.items():
            findings += [f"{name}: shows {word!r}" for word in inside if word in answer.text]
            if answer.status >= 500:
                findings += [f"{name}: {line}" for line in _unclear(name, answer)]
        return findings

    def refused(self) -> set[str]:
        """Return what was answered by 503."""
        return {name for name, answer in self.answers.items() if answer.status == 503}

    def _patch(self) -> Answer:
        change = {"contact_name": "Olive Outage"}
        tag = self.clients.program.get(self.clients.onboarding).headers.get("ETag", '"none"')
        return self.clients.program.send(
            "PATCH", self.clients.onboarding, change, **{"If-Match": tag}
        )


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with running_portal() as started:
        yield started


@pytest.fixture(scope="module")
def clients(portal: Portal) -> Clients:
    person = PortalClient(portal.stack.address)
    person.sign_in(portal.people["kim"])
    person.get("/records/new/company/")
    visitor = PortalClient(portal.stack.address)
    visitor.get("/sign-in/")
    program = PortalClient(portal.stack.address)
    started = program.send(
        "POST", "/api/v1/onboardings", {"email": "dev@partner.example", "language": "en"}
    )
    program.token = str(started.json["registration_token"])
    return Clients(visitor, person, program, started.headers["Location"])


@pytest.mark.proof(CLAIM.format("database"))
def test_without_a_database_everything_says_so(
    portal: Portal, clients: Clients, tried: Tried
) -> None:
    before, web = portal.servers.row_counts(), portal.web_process()
    outage = Outage(portal, clients)

    with portal.servers.stopped("postgres"):
        outage.ask_everything()
        inside, outside = _health(portal)

    assert outage.unclear() == []
    assert outage.refused() >= {"sign-in", "home", "list", "write", "API read", "API start"}
    assert "database" in inside.reasons
    assert outside.json == {"state": "not ready"}
    _recovered(portal, clients, before, tried, web=web)
    tried.case(len(outage.answers))


@pytest.mark.proof(CLAIM.format("an answer of the database"))
def test_a_database_that_hangs_is_told_within_seconds(portal: Portal, tried: Tried) -> None:
    web = portal.web_process()

    with portal.servers.frozen("postgres"):
        inside, outside = _health(portal)

    assert "database" in inside.reasons
    assert outside.json == {"state": "not ready"}
    portal.wait_until_ready()
    assert portal.web_process() == web
    tried.case(2)


@pytest.mark.proof(CLAIM.format("Valkey"))
def test_without_a_cache_everything_says_so(portal: Portal, clients: Clients, tried: Tried) -> None:
    before, web = portal.servers.row_counts(), portal.web_process()
    outage = Outage(portal, clients)

    with portal.servers.stopped("valkey"):
        outage.ask_everything()
        inside, outside = _health(portal)

    assert outage.unclear() == []
    assert outage.refused() >= {"API read", "API start"}
    assert "cache" in inside.reasons
    assert outside.json == {"state": "not ready"}
    written = outage.answers["write"].status == 302  # sessions and records lie in the database
    _recovered(portal, clients, before, tried, web=web, written=written)
    tried.case(len(outage.answers))


@pytest.mark.proof(CLAIM.format("keys database"))
def test_without_the_keys_database_sealed_pages_say_so(
    portal: Portal, clients: Clients, tried: Tried
) -> None:
    before, outage = portal.servers.row_counts(), Outage(portal, clients)
    with portal.servers.without_keys_database():
        portal.restart_web()  # cached keys would serve for minutes
        web = portal.web_process()

        outage.ask_everything()
        inside, outside = _health(portal)

    assert outage.unclear() == []
    assert outage.refused() >= {"list", "write", "API start"}
    assert outage.answers["sign-in page"].status == 200
    assert "keys" in inside.reasons
    assert outside.json == {"state": "not ready"}
    _recovered(portal, clients, before, tried, web=web)
    tried.case(len(outage.answers))


@pytest.mark.proof(CLAIM.format("the right root key"))
def test_with_a_wrong_root_key_sealed_pages_say_so(
    portal: Portal, clients: Clients, tried: Tried
) -> None:
    before, outage = portal.servers.row_counts(), Outage(portal, clients)
    with portal.wrong_root_key():
        portal.restart_web()
        web = portal.web_process()

        outage.ask_everything()
        inside, outside = _health(portal)

    assert outage.unclear() == []
    assert outage.refused() >= {"list", "write", "API start"}
    assert outage.answers["sign-in page"].status == 200
    assert "keys" in inside.reasons
    assert outside.json == {"state": "not ready"}
    _recovered(portal, clients, before, tried, web=web)
    tried.case(len(outage.answers))


@pytest.mark.proof(CLAIM.format("the right root key"))
def test_a_start_with_a_wrong_root_key_ends_with_one_clear_reason(
    portal: Portal, tried: Tried
) -> None:
    environment = portal.servers.environment() | {
        "DATA_DIR": str(portal.stack.data),
        "SECRET_KEY": portal.stack.secret("SECRET_KEY"),
        "ROOT_KEY_FILE": str(portal.root_key),
        "PATH": "/usr/bin:/bin",
        "DEMO": "yes",
        "ZONE": "all",
    }
    with portal.wrong_root_key():
        done = subprocess.run(
            [sys.executable, "manage.py", "prepare_installation", "--demo"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "root key" in (done.stdout + done.stderr).lower()
    tried.case()


def _health(portal: Portal) -> tuple[Answer, Answer]:
    """Ask for readiness on the machine and by the public name; only the first tells reasons."""
    client = PortalClient(portal.stack.address)
    assert client.get("/health/live").status == 200
    deadline = time.monotonic() + services.KEPT_SECONDS + services.TIMEOUT_SECONDS + 3
    while client.get("/health/ready").status == 200:  # a good answer is kept for a moment
        assert time.monotonic() < deadline, "ready in spite of the outage"
        time.sleep(0.3)
    inside = client.get("/health/ready")
    outside = client.get("/health/ready", Host=PUBLIC_NAME)
    assert (inside.status, outside.status) == (503, 503)
    return inside, outside


def _unclear(name: str, answer: Answer) -> Iterator[str]:
    if answer.status != 503:
        yield f"{answer.status} {answer.text[:200]}"
        return
    if "Retry-After" not in answer.headers:
        yield "no Retry-After"
    if answer.headers["X-Request-Id"] not in answer.text and name != OAUTH2:
        yield "the request id is not shown"
    content_type = answer.headers["Content-Type"]
    if name.startswith("API") and name != OAUTH2:
        if content_type != PROBLEM or not (answer.json["detail"] and answer.json["code"]):
            yield f"{content_type} {answer.text[:200]}"
    elif "again" not in answer.text:
        yield f"no words for the person: {answer.text[:200]}"


def _recovered(
    portal: Portal,
    clients: Clients,
    before: dict[str, int],
    tried: Tried,
    *,
    web: int,
    written: bool = False,
) -> None:
    """The same process serves again; nothing was written, and now it can be.

    Where the write was accepted during the outage, it is there as a whole.
    """
    seconds = portal.wait_until_ready()
    assert portal.web_process() == web, "recovered by a restart"
    after = portal.servers.row_counts()
    assert clients.person.get("/records/").status == 200
    assert clients.person.get("/records/new/company/").status == 200
    assert clients.person.post("/records/new/company/", RECORD).status == 302, "the control"
    assert clients.program.get(clients.onboarding).status == 200
    whole = _difference(after, portal.servers.row_counts())
    assert whole["records_record"] == 1
    assert _difference(before, after) == (whole if written else {}), "half a record was written"
    tried.case(3)
    tried.figure(f"ready again after {seconds:.1f} s")


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {
        name: rows - before[name]
        for name, rows in after.items()
        if rows != before[name] and not name.startswith(LEFT)
    }
