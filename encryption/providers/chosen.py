"""The key service that the settings name, and the others whose root versions still open blobs.

A library that only one service needs is imported when that service is asked for, and not before.
"""

from functools import lru_cache
from importlib import import_module
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy

from encryption.providers.base import KeyService, Refused

SERVICES: Final = (
    "key_file",
    "pkcs11",
    "aws_kms",
    "gcp_kms",
    "azure_key_vault",
    "vault_transit",
)
_SETTINGS: Final[dict[str, tuple[str, ...]]] = {
    "key_file": ("ROOT_KEY_FILE",),
    "pkcs11": ("PKCS11_LIBRARY", "PKCS11_TOKEN", "PKCS11_PIN_FILE", "PKCS11_KEY_LABEL"),
    "aws_kms": ("AWS_KMS_KEYS", "AWS_KMS_ENDPOINT", "KEY_SERVICE_CA_FILE"),
    "gcp_kms": (
        "GCP_KMS_KEY",
        "GCP_KMS_ENDPOINT",
        "GCP_KMS_CREDENTIALS_FILE",
        "KEY_SERVICE_CA_FILE",
    ),
    "azure_key_vault": (
        "AZURE_KEY_VAULT_KEY",
        "AZURE_KEY_VAULT_ALGORITHM",
        "AZURE_AUTHORITY",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "KEY_SERVICE_CA_FILE",
    ),
    "vault_transit": (
        "VAULT_TRANSIT_KEY",
        "VAULT_TRANSIT_TOKEN_FILE",
        "VAULT_TRANSIT_NAMESPACE",
        "KEY_SERVICE_CA_FILE",
    ),
}
_MAY_BE_EMPTY: Final = frozenset(
    {
        "AWS_KMS_ENDPOINT",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_TENANT_ID",
        "GCP_KMS_CREDENTIALS_FILE",
        "KEY_SERVICE_CA_FILE",
        "VAULT_TRANSIT_NAMESPACE",
    }
)
_LIBRARIES: Final = {"boto3", "botocore", "pkcs11"}


def key_service() -> KeyService:
    """Return the key service that wraps new keys: the one of the setting KEY_SERVICE.

    Raises:
        ImproperlyConfigured: there is none of this name, or its settings or library are missing.
    """
    return named(settings.KEY_SERVICE)


def named(code: str) -> KeyService:
    """Return a key service by its code, as when root keys move from one service to another.

    Raises:
        ImproperlyConfigured: there is none of this name, or its settings or library are missing.
    """
    if code not in SERVICES:
        known = ", ".join(SERVICES)
        raise ImproperlyConfigured(f"KEY_SERVICE {code!r} is unknown: it is one of {known}")
    return _made(code, tuple(_value(code, name) for name in _SETTINGS[code]))


def service_of(version: str) -> KeyService:
    """Return the key service of a root version, by the name that ``KeyService.version`` gave.

    Raises:
        Refused: no service gives such names.
        ImproperlyConfigured: the settings or the library of the service are missing.
    """
    code = version.partition(":")[0]
    if code not in SERVICES:
        raise Refused(gettext_lazy("the root version belongs to no key service that is known here"))
    return named(code)


@lru_cache(maxsize=16)
def _made(code: str, values: tuple[str, ...]) -> KeyService:
    del values  # they are part of the cache's key: changed settings make another service
    try:
        module = import_module(f"encryption.providers.{code}")
    except ModuleNotFoundError as error:
        if error.name not in _LIBRARIES:
            raise
        raise ImproperlyConfigured(
            f"KEY_SERVICE={code} needs {error.name}: "
            "pip install --require-hashes -r requirements-key-services.txt"
        ) from error
    try:
        service: KeyService = module.from_settings()
    except ValueError as error:
        raise ImproperlyConfigured(f"KEY_SERVICE={code}: {error}") from error
    return service


def _value(code: str, name: str) -> str:
    value = str(getattr(settings, name) or "")
    if not value and name not in _MAY_BE_EMPTY:
        raise ImproperlyConfigured(f"KEY_SERVICE={code} needs the setting {name}")
    return value
