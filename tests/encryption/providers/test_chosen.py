"""Choosing a key service by one setting."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from encryption.providers import chosen
from encryption.providers.base import Refused

ARN = "arn:aws:kms:eu-central-1:111122223333:key/0d1e2f30-0000-0000-0000-000000000000"
COMPLETE: dict[str, dict[str, object]] = {
    "pkcs11": {"PKCS11_LIBRARY": "/lib/x.so", "PKCS11_TOKEN": "t", "PKCS11_PIN_FILE": "/pin"},
    "aws_kms": {"AWS_KMS_KEYS": [ARN]},
    "gcp_kms": {"GCP_KMS_KEY": "projects/p/locations/l/keyRings/r/cryptoKeys/k"},
    "azure_key_vault": {"AZURE_KEY_VAULT_KEY": "https://x.vault.azure.net/keys/k"},
    "vault_transit": {
        "VAULT_TRANSIT_KEY": "https://vault.example/v1/transit/keys/k",
        "VAULT_TRANSIT_TOKEN_FILE": "/token",
    },
}


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Forget the services that were made."""
    chosen._made.cache_clear()
    yield
    chosen._made.cache_clear()


def test_an_unknown_key_service_is_a_configuration_error(settings: Settings) -> None:
    settings.KEY_SERVICE = "abacus"

    with pytest.raises(ImproperlyConfigured, match="key_file, pkcs11"):
        chosen.key_service()


def test_the_key_file_is_chosen_and_kept_until_its_setting_changes(
    settings: Settings, tmp_path: Path
) -> None:
    first = chosen.key_service()

    assert chosen.key_service() is first
    settings.ROOT_KEY_FILE = tmp_path / "other"
    assert chosen.key_service() is not first


@pytest.mark.parametrize("code", sorted(COMPLETE))
def test_each_service_is_made_from_its_settings(settings: Settings, code: str) -> None:
    settings.KEY_SERVICE = code
    with pytest.raises(ImproperlyConfigured, match=f"KEY_SERVICE={code} needs the setting"):
        chosen.key_service()

    for name, value in COMPLETE[code].items():
        setattr(settings, name, value)

    assert type(chosen.key_service()).__module__ == f"encryption.providers.{code}"


def test_identities_of_clouds_come_from_files_or_from_the_machine(
    settings: Settings, tmp_path: Path
) -> None:
    for values in COMPLETE.values():
        for name, value in values.items():
            setattr(settings, name, value)
    machine = [chosen.named("gcp_kms"), chosen.named("azure_key_vault")]
    settings.GCP_KMS_CREDENTIALS_FILE = str(tmp_path / "account.json")
    settings.AZURE_CLIENT_SECRET = "secret"
    settings.KEY_SERVICE_CA_FILE = str(tmp_path / "ca.pem")

    by_file = [chosen.named("gcp_kms"), chosen.named("azure_key_vault")]

    assert by_file[0] is not machine[0]
    assert by_file[1] is not machine[1]


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("aws_kms", "AWS_KMS_KEYS", ["alias/gatehouse"]),
        ("aws_kms", "AWS_KMS_KEYS", [ARN, ARN.replace("eu-central-1", "us-east-1")]),
        ("gcp_kms", "GCP_KMS_KEY", "cryptoKeys/k"),
        ("azure_key_vault", "AZURE_KEY_VAULT_KEY", "https://x.vault.azure.net/secrets/k"),
        ("gcp_kms", "GCP_KMS_KEY", f"projects/p/locations/l/keyRings/r/cryptoKeys/{'k' * 140}"),
        ("azure_key_vault", "AZURE_KEY_VAULT_ALGORITHM", "RSA1_5"),
        ("azure_key_vault", "AZURE_KEY_VAULT_KEY", f"https://x.test/keys/{'k' * 140}"),
        ("vault_transit", "VAULT_TRANSIT_KEY", "https://vault.example/transit/k"),
        ("vault_transit", "VAULT_TRANSIT_KEY", f"https://vault.example/keys/{'k' * 160}"),
    ],
)
def test_a_wrong_setting_stops_with_its_name(
    settings: Settings, code: str, name: str, value: object
) -> None:
    for known, right in COMPLETE[code].items():
        setattr(settings, known, right)
    setattr(settings, name, value)

    with pytest.raises(ImproperlyConfigured, match=f"KEY_SERVICE={code}: {name}"):
        chosen.named(code)


@pytest.mark.parametrize(("code", "library"), [("aws_kms", "boto3"), ("pkcs11", "pkcs11")])
def test_a_missing_library_is_named_in_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, code: str, library: str
) -> None:
    for name, value in COMPLETE[code].items():
        setattr(settings, name, value)
    monkeypatch.delitem(sys.modules, f"encryption.providers.{code}", raising=False)
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ImproperlyConfigured, match=r"requirements-key-services\.txt") as caught:
        chosen.named(code)

    assert f"needs {library}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_service_of_a_root_version_is_found_by_its_name() -> None:
    assert chosen.service_of("key_file:1") is chosen.named("key_file")
    with pytest.raises(Refused):
        chosen.service_of("abacus:1")
