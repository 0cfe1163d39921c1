"""The real key services, with real credentials: fakes prove none of them.

Run one by ``pytest -m credentials -k aws_kms``, with the settings of that service in the
environment (docs/how-to/choose-a-key-service.md).
"""

import os

import pytest

from encryption.providers import chosen
from encryption.providers.base import BadBlob, Context, KeyServiceError

CONTEXT: Context = {
    "app": "gatehouse",
    "installation": os.urandom(16).hex(),
    "purpose": "test",
    "epoch": 1,
}


@pytest.mark.credentials
@pytest.mark.enable_socket
@pytest.mark.parametrize("code", [code for code in chosen.SERVICES if code != "key_file"])
def test_a_real_key_service_does_what_its_fake_does(code: str) -> None:
    service = chosen.named(code)  # fails with the name of the setting that is missing

    raw, blob = service.generate(CONTEXT)

    assert service.unwrap(blob, CONTEXT) == raw
    assert service.version_of(blob) == service.version
    assert service.unwrap(service.rewrap(blob, CONTEXT), CONTEXT) == raw
    with pytest.raises(BadBlob):
        service.unwrap(blob, {**CONTEXT, "epoch": 2})
    with pytest.raises(BadBlob):
        service.unwrap(blob[:-1] + bytes([blob[-1] ^ 1]), CONTEXT)
    with pytest.raises(KeyServiceError):
        service.unwrap(blob[:-8], CONTEXT)
    assert service.health().works
