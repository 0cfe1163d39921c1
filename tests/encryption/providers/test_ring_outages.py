"""The keys of a process while its key service, a server, is away, slow or refuses."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from encryption import services
from encryption.epochs import (
    HARD_SECONDS,
    LOOK_AGAIN_SECONDS,
    PATIENCE_SECONDS,
    RETRY_SECONDS,
    SOFT_SECONDS,
    WAIT_SECONDS,
    KekRing,
)
from encryption.errors import KeysUnavailable, Refused
from encryption.types import GENERAL, RingState
from tests.encryption.key_services import Clock
from tests.encryption.models import Person
from tests.encryption.providers.backends import ca_of, fake_server
from tests.factories.encryption import person, subject
from tests.fakes.key_services import transit
from tests.proofs import Tried

BOUND_SECONDS = 10
AWAY = ("broken", "throttled", "strange")

pytestmark = pytest.mark.proof(
    "encryption: Key service away at start, lost, slow by 30 s, refusing: states, no wrong key, "
    "recovery without restart"
)


@pytest.fixture
def clock() -> Clock:
    """Give seconds that the test moves."""
    return Clock()


@pytest.fixture
def fake(tmp_path: Path, settings: Settings) -> Iterator[transit.Transit]:
    """Give a transit engine that the settings name."""
    found = transit.Transit({"root": transit.TransitKey()})
    token = tmp_path / "token"
    token.write_text(transit.TOKEN)
    token.chmod(0o600)
    with fake_server(found, found.switch, found.busy) as (server, _):
        settings.KEY_SERVICE = "vault_transit"
        settings.KEY_SERVICE_CA_FILE = str(ca_of(server, tmp_path))
        settings.VAULT_TRANSIT_KEY = f"https://127.0.0.1:{server.port}/v1/transit/keys/root"
        settings.VAULT_TRANSIT_TOKEN_FILE = str(token)
        settings.VAULT_TRANSIT_NAMESPACE = transit.NAMESPACE
        yield found


@pytest.fixture
def ring(fake: transit.Transit, clock: Clock) -> KekRing:
    """Give an empty ring on the service of the settings."""
    del fake
    return KekRing(clock=clock)


@pytest.mark.parametrize("mode", AWAY)
def test_away_at_start_is_sealed_until_the_service_answers(
    fake: transit.Transit, ring: KekRing, tried: Tried, mode: str
) -> None:
    fake.switch.mode = mode

    with pytest.raises(KeysUnavailable):
        ring.active(GENERAL)

    assert ring.state() == RingState.SEALED
    fake.switch.mode = ""
    assert ring.active(GENERAL).number == 1
    assert ring.state() == RingState.OK
    tried.case()


@pytest.mark.parametrize("mode", [*AWAY, "slow"])
def test_lost_at_run_time_is_degraded_then_sealed_and_recovers(
    fake: transit.Transit, ring: KekRing, clock: Clock, tried: Tried, mode: str
) -> None:
    kek = ring.active(GENERAL)
    sealed = kek.cipher.encrypt(bytes(12), b"value", None)
    fake.switch.mode = mode
    clock.seconds += SOFT_SECONDS + 1

    started = time.monotonic()
    assert ring.active(GENERAL) is kek
    assert time.monotonic() - started < BOUND_SECONDS
    assert ring.state() == RingState.DEGRADED

    clock.seconds += HARD_SECONDS
    with pytest.raises(KeysUnavailable):
        ring.active(GENERAL)
    assert ring.state() == RingState.SEALED
    fake.switch.released.set()
    fake.switch.mode = ""
    assert ring.active(GENERAL).cipher.decrypt(bytes(12), sealed, None) == b"value"
    assert ring.state() == RingState.OK
    tried.case()


@pytest.mark.parametrize("what", ["no right", "wrong key"])
def test_a_refusal_drops_the_keys_and_ends_without_a_restart(
    fake: transit.Transit, ring: KekRing, clock: Clock, tried: Tried, what: str
) -> None:
    sealed = ring.active(GENERAL).cipher.encrypt(bytes(12), b"value", None)
    if what == "no right":
        fake.token = "another"
    else:
        fake.switch.mode = "wrong"
    clock.seconds += SOFT_SECONDS + 1

    with pytest.raises(Refused):
        ring.active(GENERAL)

    assert ring.state() == RingState.REFUSED
    fake.token, fake.switch.mode = transit.TOKEN, ""
    assert ring.active(GENERAL).cipher.decrypt(bytes(12), sealed, None) == b"value"
    assert ring.state() == RingState.OK
    tried.case()


def test_while_cached_keys_serve_nobody_waits_for_a_slow_service(
    fake: transit.Transit, ring: KekRing, clock: Clock, tried: Tried
) -> None:
    kek = ring.active(GENERAL)
    fake.switch.mode, before = "slow", fake.switch.asked
    clock.seconds += SOFT_SECONDS + 1

    for _ in range(5):
        started = time.monotonic()
        assert ring.active(GENERAL) is kek
        assert time.monotonic() - started < PATIENCE_SECONDS + 1
        tried.case()
        clock.seconds += LOOK_AGAIN_SECONDS + 0.1

    assert fake.switch.asked - before <= 2, "one question at a time"
    fake.switch.mode = ""
    fake.switch.released.set()
    until = time.monotonic() + BOUND_SECONDS
    while ring.state() != RingState.OK and time.monotonic() < until:
        clock.seconds += RETRY_SECONDS
        ring.active(GENERAL)
    assert ring.state() == RingState.OK


def test_without_keys_only_the_first_waits_for_a_slow_service(
    fake: transit.Transit, ring: KekRing, tried: Tried
) -> None:
    ring.active(GENERAL)
    other = KekRing()
    fake.switch.mode = "slow"
    waits = []

    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(KeysUnavailable):
            other.active(GENERAL)
        waits.append(time.monotonic() - started)
        tried.case()

    assert waits[0] < WAIT_SECONDS + 1
    assert max(waits[1:]) < 1


def test_an_erasure_does_not_wait_for_the_key_service(fake: transit.Transit, tried: Tried) -> None:
    gone, kept = person(name="Ada"), person(name="Eve")
    fake.switch.mode = "broken"

    services.erase(subject(gone.subject_id))

    with pytest.raises(services.Erased):
        _ = Person.objects.get(pk=gone.pk).name
    assert Person.objects.get(pk=kept.pk).name == "Eve"
    tried.case(2)
