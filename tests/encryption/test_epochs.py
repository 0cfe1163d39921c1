"""Key-encryption keys: states, limits, refusals (encryption.md 8)."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections
from pytest_django import Settings

from encryption import services
from encryption.epochs import HARD_SECONDS, RETRY_SECONDS, SOFT_SECONDS, KekRing
from encryption.errors import KeysUnavailable, Refused
from encryption.key_tables import Installation, KekEpoch, KekWrap, RootVersion
from encryption.keyring import Keyring
from encryption.providers.key_file import create
from encryption.types import GENERAL, RingState
from tests.encryption.conftest import Recorded
from tests.encryption.key_services import Clock, SwitchedService
from tests.encryption.models import Person
from tests.factories.encryption import person, subject
from tests.proofs import Tried


@pytest.fixture
def clock() -> Clock:
    """Give seconds that the test moves."""
    return Clock()


@pytest.fixture
def service(tmp_path: Path) -> SwitchedService:
    """Give a key service on a new root key."""
    create(tmp_path / "root.key")
    return SwitchedService(tmp_path / "root.key")


@pytest.fixture
def ring(service: SwitchedService, clock: Clock) -> KekRing:
    """Give an empty ring."""
    return KekRing(lambda: service, clock)


def test_the_first_use_makes_epoch_root_version_and_installation(ring: KekRing) -> None:
    assert ring.state() == RingState.SEALED

    kek = ring.active(GENERAL)

    assert (kek.number, kek.purpose) == (1, GENERAL)
    assert ring.state() == RingState.OK
    epoch = KekEpoch.objects.get()
    assert str(epoch) == "general 1"
    assert str(RootVersion.objects.get()) == "key_file:1"
    assert str(KekWrap.objects.get()) == f"{epoch.pk} key_file:1"
    assert str(Installation.objects.get()) == str(ring.installation())


def test_a_key_is_unwrapped_once(ring: KekRing, service: SwitchedService) -> None:
    kek = ring.active(GENERAL)

    assert ring.active(GENERAL) is ring.get(kek.row_id, GENERAL) is kek
    assert service.calls == 1


def test_a_key_past_the_soft_limit_is_confirmed(
    ring: KekRing, service: SwitchedService, clock: Clock
) -> None:
    ring.active(GENERAL)
    clock.seconds += SOFT_SECONDS + 1
    assert ring.state() == RingState.DEGRADED

    ring.confirm()

    assert ring.state() == RingState.OK
    assert service.calls == 2


def test_cached_keys_serve_while_the_service_is_away_until_the_hard_limit(
    ring: KekRing, service: SwitchedService, clock: Clock
) -> None:
    kek = ring.active(GENERAL)
    service.mode = "down"
    clock.seconds += SOFT_SECONDS + 1

    assert ring.get(kek.row_id, GENERAL) is kek
    assert ring.active(GENERAL) is kek
    assert ring.state() == RingState.DEGRADED
    assert service.calls == 2  # the second use did not ask again
    clock.seconds += RETRY_SECONDS
    ring.active(GENERAL)
    assert service.calls == 3

    clock.seconds += HARD_SECONDS
    with pytest.raises(KeysUnavailable):
        ring.active(GENERAL)
    assert ring.state() == RingState.SEALED
    service.mode = "up"
    assert ring.active(GENERAL).number == 1
    assert ring.state() == RingState.OK


@pytest.mark.parametrize("mode", ["refused", "wrong"])
def test_a_refusal_drops_all_keys_at_once(
    mode: str, ring: KekRing, service: SwitchedService, clock: Clock, key_events: Recorded
) -> None:
    keyring = Keyring(ring, clock)
    handle = keyring.for_sealing(subject())
    service.mode = mode
    clock.seconds += SOFT_SECONDS - 1
    assert keyring.get(handle.key_id) is handle
    clock.seconds += 2
    keyring.check_revocations()

    assert ring.state() == RingState.REFUSED
    with pytest.raises(Refused):
        keyring.get(handle.key_id)
    assert key_events.names.count("encryption.key.refused") == 1
    service.mode = "up"
    assert keyring.get(handle.key_id) is not None
    assert ring.state() == RingState.OK


def test_when_a_key_is_opened_the_journal_writes_what_waited(
    ring: KekRing, key_events: Recorded
) -> None:
    before = key_events.times_asked

    ring.active(GENERAL)

    assert key_events.times_asked == before + 1


@pytest.mark.parametrize(
    ("mode", "error"), [("down", KeysUnavailable), ("refused", Refused), ("wrong", Refused)]
)
def test_nothing_is_made_while_the_service_says_no(
    mode: str, error: type[Exception], ring: KekRing, service: SwitchedService
) -> None:
    service.mode = mode

    with pytest.raises(error):
        ring.active(GENERAL)
    assert not KekEpoch.objects.exists()
    assert ring.state() in {RingState.SEALED, RingState.REFUSED}


def test_a_probe_makes_no_key(ring: KekRing) -> None:
    ring.probe()

    assert not Installation.objects.exists()
    assert not KekEpoch.objects.exists()


@pytest.mark.parametrize(
    ("mode", "error"), [("down", KeysUnavailable), ("refused", Refused), ("wrong", Refused)]
)
def test_a_probe_fails_where_the_keys_of_the_installation_cannot_be_opened(
    ring: KekRing, service: SwitchedService, mode: str, error: type[Exception]
) -> None:
    ring.active(GENERAL)
    ring.probe()
    ring.drop()

    service.mode = mode

    with pytest.raises(error):
        ring.probe()


def test_an_epoch_made_by_another_process_is_used(ring: KekRing, service: SwitchedService) -> None:
    other = KekRing(lambda: service)
    other.active(GENERAL)

    row = ring._create(GENERAL)

    assert row == KekEpoch.objects.get()
    assert ring.active(GENERAL).row_id == row.pk


def test_a_key_of_an_unknown_epoch_is_refused(ring: KekRing) -> None:
    with pytest.raises(Refused, match="lacks the epoch"):
        ring.get(4711, GENERAL)


def test_an_epoch_of_a_foreign_installation_is_refused(ring: KekRing) -> None:
    ring.active(GENERAL)
    ring.drop()
    ring._installation = uuid4()

    with pytest.raises(Refused, match="check the root key"):
        ring.active(GENERAL)


@pytest.mark.proof("encryption: a wrong root key is refused with one clear error, nothing written")
def test_a_wrong_root_key_is_one_clear_error(
    tmp_path: Path, settings: Settings, tried: Tried
) -> None:
    row = person(name="Ada")
    create(tmp_path / "other.key")
    right = settings.ROOT_KEY_FILE
    settings.ROOT_KEY_FILE = tmp_path / "other.key"
    services.drop_keys()

    with pytest.raises(Refused, match="check the root key") as caught:
        _ = Person.objects.get(pk=row.pk).name
    with pytest.raises(Refused):
        person(name="Eve")
    assert caught.value.status == 503
    assert Person.objects.count() == 1
    assert services.ring_state() == RingState.REFUSED
    settings.ROOT_KEY_FILE = right
    assert Person.objects.get(pk=row.pk).name == "Ada"  # control
    tried.case(2)


@pytest.mark.proof("encryption: a lost keys database is unavailable, never erased")
@pytest.mark.usefixtures("fresh_tables")
def test_a_lost_keys_database_is_unavailable_and_never_erased(
    monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    row = person(name="Ada", note="ours")
    services.drop_keys()
    connections["keys"].close()
    with monkeypatch.context() as patch:
        patch.setitem(connections["keys"].settings_dict, "NAME", "no_such_database")
        read = Person.objects.get(pk=row.pk)
        with pytest.raises(KeysUnavailable) as caught:
            _ = read.name
        with pytest.raises(KeysUnavailable):
            person(name="Eve")
        with pytest.raises(KeysUnavailable):
            services.erase(subject(row.subject_id))
        assert caught.value.retry_after > 0
        assert Person.objects.count() == 1
        connections["keys"].close()

    assert Person.objects.get(pk=row.pk).name == "Ada"  # control
    tried.case(3)


@pytest.mark.usefixtures("fresh_tables")
def test_cached_keys_serve_while_the_keys_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    row = person(name="Ada")
    connections["keys"].close()
    with monkeypatch.context() as patch:
        patch.setitem(connections["keys"].settings_dict, "NAME", "no_such_database")
        services.check_revocations()

        assert Person.objects.get(pk=row.pk).name == "Ada"
        connections["keys"].close()
