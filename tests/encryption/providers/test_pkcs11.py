"""A hardware module by SoftHSM: logins, forks, PINs, versions."""

import os
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import exceptions as errors
from pkcs11.constants import Attribute, ObjectClass

from encryption.providers.base import Refused, Unavailable
from encryption.providers.pkcs11 import Pkcs11
from tests.encryption.providers.backends import (
    CONTEXT,
    PIN,
    SOFTHSM,
    require_softhsm,
    softhsm_service,
    softhsm_tokens,
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Pkcs11]:
    """Give the key service of a fresh token that holds one root key."""
    require_softhsm()
    with softhsm_tokens(tmp_path, "gatehouse"):
        found = softhsm_service(tmp_path)
        assert found.add_version() == 1
        yield found


def test_the_root_key_cannot_leave_the_token(service: Pkcs11) -> None:
    keys = service._thread.run(service._keys)

    for attribute in (Attribute.SENSITIVE, Attribute.ALWAYS_SENSITIVE, Attribute.NEVER_EXTRACTABLE):
        assert service._thread.run(lambda attribute=attribute: keys[1][attribute])  # type: ignore[index,misc]  # an object of the library
    with pytest.raises(errors.AttributeSensitive):
        service._thread.run(lambda: keys[1][Attribute.VALUE])  # type: ignore[index]  # as above


def test_a_child_logs_in_by_itself_and_the_parent_stays_logged_in(service: Pkcs11) -> None:
    raw, blob = service.generate(CONTEXT)

    child = os.fork()
    if child == 0:
        try:
            works = service.unwrap(blob, CONTEXT) == raw and service.health().works
        finally:
            os._exit(0 if works else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert service.unwrap(blob, CONTEXT) == raw


def test_a_second_service_of_the_process_shares_the_login(service: Pkcs11, tmp_path: Path) -> None:
    raw, blob = service.generate(CONTEXT)

    assert softhsm_service(tmp_path).unwrap(blob, CONTEXT) == raw


def test_a_wrong_pin_is_tried_once_and_a_new_one_at_once(tmp_path: Path) -> None:
    require_softhsm()
    with softhsm_tokens(tmp_path, "gatehouse"):
        service = softhsm_service(tmp_path)
        (tmp_path / "pin").write_text("9999")
        with pytest.raises(Refused, match="refuses the PIN"):
            service.generate(CONTEXT)
        for _ in range(20):  # a token that locks would be locked by now
            with pytest.raises(Refused, match="refused this PIN"):
                service.generate(CONTEXT)

        (tmp_path / "pin").write_text(PIN)

        assert service.add_version() == 1
        assert service.health().works


def test_a_pin_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    require_softhsm()
    with softhsm_tokens(tmp_path, "gatehouse"):
        (tmp_path / "pin").chmod(0o644)

        with pytest.raises(Refused, match="everybody"):
            softhsm_service(tmp_path).generate(CONTEXT)


def test_a_token_that_is_missing_is_unavailable_and_one_without_keys_refuses(
    tmp_path: Path,
) -> None:
    require_softhsm()
    with softhsm_tokens(tmp_path, "gatehouse"):
        with pytest.raises(Unavailable):
            softhsm_service(tmp_path, "another").generate(CONTEXT)
        with pytest.raises(Refused, match="no root key"):
            softhsm_service(tmp_path).generate(CONTEXT)


def test_a_library_that_is_missing_is_unavailable(tmp_path: Path) -> None:
    service = Pkcs11(str(tmp_path / "none.so"), token="t", pin_file=tmp_path / "pin", label="root")
    (tmp_path / "pin").write_text(PIN)
    (tmp_path / "pin").chmod(0o600)

    assert not service.health().works


def test_a_token_that_comes_back_is_used_again(service: Pkcs11, tmp_path: Path) -> None:
    raw, blob = service.generate(CONTEXT)
    (tmp_path / "tokens").rename(tmp_path / "gone")
    with pytest.raises(Unavailable):
        service.unwrap(blob, CONTEXT)

    (tmp_path / "gone").rename(tmp_path / "tokens")

    assert service.unwrap(blob, CONTEXT) == raw


def test_only_an_old_root_version_can_be_destroyed(service: Pkcs11) -> None:
    with pytest.raises(Refused, match="newest"):
        service.destroy(1)
    with pytest.raises(Refused, match="does not hold"):
        service.destroy(7)
    assert service.add_version() == 2

    service.destroy(1)

    assert service.version == "pkcs11:gatehouse-root-2"
    assert service.add_version() == 3


def test_two_keys_of_one_number_are_refused(service: Pkcs11) -> None:
    def copy() -> None:
        library = pkcs11.lib(str(SOFTHSM))
        with library.get_token(token_label="gatehouse").open(rw=True) as session:
            found = session.get_key(object_class=ObjectClass.SECRET_KEY, label="gatehouse-root-1")
            found.copy({Attribute.TOKEN: True})

    service._thread.run(copy)

    with pytest.raises(Refused, match="two keys"):
        service.generate(CONTEXT)
