"""From the key file to another key service, and on to a new version there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from encryption import services
from encryption.epochs import active_row
from encryption.key_tables import KekEpoch, RootVersion, RotationRun
from encryption.rotation import runs
from encryption.rotation.destruction import destroy_epoch, verify_backup
from encryption.rotation.jobs import Progress
from encryption.types import GENERAL, KeyState
from foundation import clock
from foundation.errors import Conflict
from tests.encryption.models import Person
from tests.encryption.providers.backends import ca_of, fake_server
from tests.encryption.rotation.rotating import finish, worker
from tests.factories.encryption import person
from tests.fakes.key_services.transit import NAMESPACE, TOKEN, Transit, TransitKey
from tests.proofs import Tried


@pytest.fixture
def transit(tmp_path: Path, settings: Settings) -> Iterator[TransitKey]:
    """Give a transit key that the settings describe, beside the key file."""
    key = TransitKey()
    fake = Transit({"root": key})
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with fake_server(fake, fake.switch, fake.busy) as (server, _faults):
        settings.VAULT_TRANSIT_KEY = f"https://127.0.0.1:{server.port}/v1/transit/keys/root"
        settings.VAULT_TRANSIT_TOKEN_FILE = str(token)
        settings.VAULT_TRANSIT_NAMESPACE = NAMESPACE
        settings.KEY_SERVICE_CA_FILE = str(ca_of(server, tmp_path))
        yield key


def name_of(row: Person) -> str:
    services.drop_keys()
    return Person.objects.get(pk=row.pk).name


@pytest.mark.proof("encryption: the provider of the root key changes, and the old one can go")
def test_the_provider_changes_while_both_are_configured(
    root_key: Path, transit: TransitKey, settings: Settings, tried: Tried
) -> None:
    row = person(name="Ada")
    settings.KEY_SERVICE = "vault_transit"
    assert name_of(row) == "Ada"  # the old epoch still opens by the key file

    finish(*runs.start_root(by="test"))

    active = active_row(GENERAL)
    assert active is not None
    assert active.root_version_id.startswith("vault_transit:")
    assert name_of(row) == "Ada"
    assert RootVersion.objects.get(name="key_file:1").state == KeyState.RETIRED
    verify_backup("backup", taken_at=clock.real_now())
    away = root_key.rename(root_key.with_suffix(".away"))
    assert "cannot be" in destroy_epoch(GENERAL, 1).waits_for[0]  # no file is no proof
    away.rename(root_key)
    assert destroy_epoch(GENERAL, 1).is_dead
    assert [line.split()[2] for line in root_key.read_text().splitlines()] == ["2"]
    assert name_of(row) == "Ada"
    assert transit.versions
    tried.case()


def test_a_new_version_is_made_in_the_service_and_the_old_one_destroyed_there(
    root_key: Path, transit: TransitKey, settings: Settings
) -> None:
    assert root_key
    settings.KEY_SERVICE = "vault_transit"
    row = person(name="Ada")
    first = active_row(GENERAL)
    assert first is not None
    run = runs.start_root(by="test")[0]
    with pytest.raises(Conflict, match="make a new root version in the key service first"):
        worker(run).work(1.0)
    assert "make a new root version" in RotationRun.objects.get(pk=run.pk).last_error
    loop = runs.Loop(runs.is_general)
    assert loop.step() is False  # says so in the run, and goes on with others

    transit.versions.append(os.urandom(32))
    finish(run)

    verify_backup("backup", taken_at=clock.real_now())
    work = worker(runs.start_destruction(GENERAL, first.number, by="test"))
    assert work.work(1.0) is Progress.WAITS
    assert "still unwraps" in RotationRun.objects.get(pk=work.run.pk).note
    transit.min_decryption_version = 2
    assert work.work(1.0) is Progress.DONE
    assert bytes(KekEpoch.objects.get(pk=first.pk).blob) == b""
    assert RootVersion.objects.get(pk=first.root_version_id).state == KeyState.DESTROYED
    assert name_of(row) == "Ada"


def test_a_service_that_is_away_stops_the_run_and_loses_nothing(
    root_key: Path, transit: TransitKey, settings: Settings
) -> None:
    assert root_key
    assert transit
    row = person(name="Ada")
    run = runs.start_root(by="test")[0]
    reachable = settings.VAULT_TRANSIT_KEY
    settings.KEY_SERVICE = "vault_transit"
    settings.VAULT_TRANSIT_KEY = "https://127.0.0.1:9/v1/transit/keys/root"
    with pytest.raises(services.KeysUnavailable):
        worker(run).work(1.0)
    assert name_of(row) == "Ada"
    settings.VAULT_TRANSIT_KEY = reachable

    finish(run)

    assert name_of(row) == "Ada"
