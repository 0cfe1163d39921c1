"""``manage.py encryption_setup`` while the key service is away or refuses."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from encryption import services
from encryption.key_tables import KekEpoch
from encryption.providers.key_file import create


def test_a_prepared_installation_starts_sealed_while_the_key_service_is_away(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services.prepare()
    services.drop_keys()
    settings.ROOT_KEY_FILE = tmp_path / "away.key"

    call_command("encryption_setup")

    output = capsys.readouterr()
    assert output.out.strip() == "key store: sealed"
    assert output.err.startswith("Warning: sealed data cannot be used yet: ")


def test_a_new_installation_does_not_start_without_its_key_service(
    settings: Settings, tmp_path: Path
) -> None:
    settings.ROOT_KEY_FILE = tmp_path / "away.key"

    with pytest.raises(CommandError):
        call_command("encryption_setup")

    assert not KekEpoch.objects.exists()


def test_a_prepared_installation_does_not_start_with_another_root_key(
    settings: Settings, tmp_path: Path
) -> None:
    services.prepare()
    services.drop_keys()
    create(tmp_path / "other.key")
    settings.ROOT_KEY_FILE = tmp_path / "other.key"

    with pytest.raises(CommandError, match="check the root key"):
        call_command("encryption_setup")
