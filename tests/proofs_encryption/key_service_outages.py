"""A running portal whose key service, a strict fake of Vault transit, the test holds in its hands.

The fake runs in the test's process and speaks HTTPS; it is reached as a real one is.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.stack import free_port
from tests.fakes.https import authority, https_server
from tests.fakes.key_services import transit
from tests.proofs_frame.outages import Portal, running_portal
from tests.proofs_frame.portal_client import Answer, PortalClient

SOFT_SECONDS = 4
HARD_SECONDS = 30
# A test of a running portal waits at most so long for a state: kept health answers, and the limit.
STATE_SECONDS = 60.0
KEY = "root"


@dataclass(slots=True)
class KeyServer:
    """The key service of the portal.

    Attributes:
        folder: where its token and certificate lie.
        port: it comes back on the same one.
        fake: what answers.
    """

    folder: Path
    port: int
    fake: transit.Transit
    _running: ExitStack = field(default_factory=ExitStack)

    def settings(self) -> dict[str, str]:
        """Return what the operator sets; keys are asked about after seconds, not minutes."""
        token, ca = self.folder / "token", self.folder / "ca.pem"
        token.write_text(transit.TOKEN, encoding="utf-8")
        token.chmod(0o600)
        ca.write_text(authority().pem, encoding="utf-8")
        return {
            "KEY_SERVICE": "vault_transit",
            "KEY_SERVICE_CA_FILE": str(ca),
            "VAULT_TRANSIT_KEY": f"https://127.0.0.1:{self.port}/v1/transit/keys/{KEY}",
            "VAULT_TRANSIT_TOKEN_FILE": str(token),
            "VAULT_TRANSIT_NAMESPACE": transit.NAMESPACE,
            "KEY_SOFT_SECONDS": str(SOFT_SECONDS),
            "KEY_HARD_SECONDS": str(HARD_SECONDS),
        }

    def start(self) -> None:
        """Answer."""
        script = self.fake.switch.around(self.fake, self.fake.busy)
        self._running.enter_context(https_server(script, port=self.port))

    def stop(self) -> None:
        """Be away: connections are refused."""
        self._running.close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Be away for the time of the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Answer after 30 seconds for the time of the block."""
        self.fake.switch.released.clear()
        self.fake.switch.mode = "slow"
        try:
            yield
        finally:
            self.fake.switch.mode = ""
            self.fake.switch.released.set()

    @contextmanager
    def without_grant(self) -> Iterator[None]:
        """Refuse the portal's token."""
        self.fake.token = "another"
        try:
            yield
        finally:
            self.fake.token = transit.TOKEN

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Refuse the version of the key that wrapped the epochs."""
        key = self.fake.keys[KEY]
        key.versions.append(bytes(32))
        key.min_decryption_version = 2
        try:
            yield
        finally:
            key.min_decryption_version = 1
            key.versions.pop()

    @contextmanager
    def lying(self) -> Iterator[None]:
        """Answer with other bytes than were wrapped."""
        self.fake.switch.mode = "wrong"
        try:
            yield
        finally:
            self.fake.switch.mode = ""

    @contextmanager
    def deleted(self) -> Iterator[None]:
        """Know no such key."""
        key = self.fake.keys.pop(KEY)
        try:
            yield
        finally:
            self.fake.keys[KEY] = key


@dataclass(frozen=True, slots=True)
class Health:
    """What the portal says of itself on its own machine.

    Attributes:
        status: of the answer.
        reasons: why it is not ready, by check.
        warnings: what is about to fail, by check.
    """

    status: int
    reasons: Mapping[str, str]
    warnings: Mapping[str, str]

    @property
    def keys(self) -> str:
        """What it says of the key service; empty while all is well."""
        return self.reasons.get("key service") or self.warnings.get("key service", "")


@dataclass(slots=True)
class Sealed:
    """A portal with its key service.

    Attributes:
        portal: as it runs.
        server: its key service.
        person: signed in before the outage.
        visitor: nobody.
    """

    portal: Portal
    server: KeyServer
    person: PortalClient
    visitor: PortalClient

    def health(self) -> Health:
        """Ask for readiness on the machine."""
        answer = PortalClient(self.portal.stack.address).get("/health/ready")
        found = answer.json
        return Health(answer.status, _texts(found.get("reasons")), _texts(found.get("warnings")))

    def wait_for_state(self, state: str, *, meanwhile: Callable[[], object] = int) -> Health:
        """Ask until the health page tells a state."""
        deadline = time.monotonic() + STATE_SECONDS
        while not (found := self.health()).keys.startswith(f"State {state}:"):
            assert time.monotonic() < deadline, f"no state {state}: {found}"
            meanwhile()
            time.sleep(0.3)
        return found

    def wait_until_well(self) -> float:
        """Wait until it is ready and no check warns; return the seconds."""
        started = time.monotonic()
        self.portal.wait_until_ready()
        while (found := self.health()).status != 200 or found.warnings:
            assert time.monotonic() - started < STATE_SECONDS, found
            time.sleep(0.3)
        return time.monotonic() - started

    def records(self) -> Answer:
        """Ask for a page with sealed data."""
        return self.person.get("/records/")

    def start_again(self) -> None:
        """Stop the whole portal and start it; wait until it answers at all."""
        stack = self.portal.stack
        stack.stop()
        stack.start_again()
        deadline = time.monotonic() + STATE_SECONDS * 2
        while "no answer" in self.portal.why_not_ready():
            assert stack.process.poll() is None, "\n".join(stack.output[-20:])
            assert time.monotonic() < deadline, "the portal does not answer"
            time.sleep(0.3)


@contextmanager
def portal_with_key_service() -> Iterator[Sealed]:
    """Start servers, key service and portal on empty folders."""
    with TemporaryDirectory(prefix="gatehouse-transit-") as folder:
        server = KeyServer(Path(folder), free_port(), transit.Transit({KEY: transit.TransitKey()}))
        server.start()
        try:
            with running_portal(server.settings()) as portal:
                person = PortalClient(portal.stack.address)
                person.sign_in(portal.people["kim"])
                yield Sealed(portal, server, person, PortalClient(portal.stack.address))
        finally:
            server.fake.switch.released.set()
            server.stop()


def at_once(asks: list[Callable[[], Answer]]) -> list[tuple[Answer, float]]:
    """Ask everything at the same time; return each answer with its seconds."""
    found: list[tuple[Answer, float] | None] = [None] * len(asks)

    def ask(number: int) -> None:
        started = time.monotonic()
        answer = asks[number]()
        found[number] = (answer, time.monotonic() - started)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcome for outcome in found if outcome is not None]


def _texts(found: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
