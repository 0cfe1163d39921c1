"""One suite for all key services: the same question gets the same answer and the same error."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from encryption.providers.base import BadBlob, Refused, Unavailable
from tests.encryption.providers.backends import BACKENDS, CONTEXT, EXCUSED, FAULTS, Backend
from tests.proofs import Tried

ANSWERS = {
    "disabled": Refused,
    "pending deletion": Refused,
    "throttled": Unavailable,
    "down": Unavailable,
    "slow": Unavailable,
    "wrong": BadBlob,
}
SLOW_BOUND_SECONDS = 9


def proof_of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.proof(f"encryption: Conformance suite green on {name}")


def can_have(name: str, fault: str) -> bool:
    return fault not in EXCUSED.get(name, {})


@pytest.fixture(params=[pytest.param(name, marks=proof_of(name)) for name in BACKENDS])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Give each key service in turn."""
    with BACKENDS[request.param](tmp_path) as found:
        yield found


def test_a_key_comes_back_and_its_blob_names_the_root_version(
    backend: Backend, tried: Tried
) -> None:
    service = backend.service
    raw, blob = service.generate(CONTEXT)
    other_raw, other = service.generate(CONTEXT)

    assert len(raw) == 32
    assert service.unwrap(blob, CONTEXT) == service.unwrap(service.wrap(raw, CONTEXT), CONTEXT)
    assert service.unwrap(blob, CONTEXT) == raw
    assert raw not in blob
    assert raw != other_raw
    assert blob != other
    assert service.version_of(blob) == service.version
    assert service.health().works
    tried.case()


def test_another_context_does_not_open_a_blob(backend: Backend, tried: Tried) -> None:
    raw, blob = backend.service.generate(CONTEXT)
    others = [
        {**CONTEXT, "installation": "j"},
        {**CONTEXT, "purpose": "vault"},
        {**CONTEXT, "epoch": 2},
        {name: value for name, value in CONTEXT.items() if name != "epoch"},
        {**CONTEXT, "more": "x"},
    ]

    for context in others:
        with pytest.raises(BadBlob):
            backend.service.unwrap(blob, context)
        tried.case()
    assert backend.service.unwrap(blob, CONTEXT) == raw


def test_a_changed_blob_does_not_open(backend: Backend, tried: Tried) -> None:
    raw, blob = backend.service.generate(CONTEXT)
    names = backend.name_bytes(blob)

    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        expected = (BadBlob, Refused) if position < names else (BadBlob,)
        with pytest.raises(expected):
            backend.service.unwrap(bytes(changed), CONTEXT)
        tried.case()
    assert backend.service.unwrap(blob, CONTEXT) == raw


def test_a_cut_or_longer_blob_does_not_open(backend: Backend, tried: Tried) -> None:
    raw, blob = backend.service.generate(CONTEXT)
    lengths = {*range(0, len(blob), 5), *range(len(blob) - 20, len(blob))}

    for wrong in [*(blob[:length] for length in lengths), blob + b"\0"]:
        with pytest.raises(BadBlob):
            backend.service.unwrap(wrong, CONTEXT)
        tried.case()
    assert backend.service.unwrap(blob, CONTEXT) == raw


def test_a_new_root_version_wraps_and_the_old_one_still_opens(
    backend: Backend, tried: Tried
) -> None:
    raw, old = backend.service.generate(CONTEXT)
    first = backend.service.version
    backend.add_version()
    service = backend.service

    new = service.rewrap(old, CONTEXT)

    assert service.version != first
    assert service.version_of(old) == first
    assert service.version_of(new) == service.version
    assert service.unwrap(old, CONTEXT) == service.unwrap(new, CONTEXT) == raw
    with pytest.raises(BadBlob):
        service.unwrap(new, {**CONTEXT, "epoch": 2})
    tried.case()


def test_a_blob_of_another_context_is_not_rewrapped_into_ours(
    backend: Backend, tried: Tried
) -> None:
    other = {**CONTEXT, "installation": "j"}
    _, blob = backend.service.generate(other)

    with pytest.raises(BadBlob):
        backend.service.unwrap(backend.service.rewrap(blob, CONTEXT), CONTEXT)
    tried.case()


def test_the_blob_of_another_installation_does_not_open(backend: Backend, tried: Tried) -> None:
    raw, blob = backend.service.generate(CONTEXT)
    assert backend.service.unwrap(blob, CONTEXT) == raw  # control

    foreign = backend.foreign()

    with pytest.raises(BadBlob):
        foreign.unwrap(blob, CONTEXT)
    assert foreign.health().works
    tried.case()


def test_blobs_of_other_services_do_not_open(backend: Backend, tried: Tried) -> None:
    blobs = [b"", b"\x01" + bytes(63), b"\x02\x00\x05other" + bytes(64), b"\xff" * 99]

    for blob in blobs:
        with pytest.raises(BadBlob):
            backend.service.unwrap(blob, CONTEXT)
        with pytest.raises(BadBlob):
            backend.service.rewrap(blob, CONTEXT)
        tried.case()


def test_every_fault_is_tried_or_excused(backend: Backend, tried: Tried) -> None:
    assert sorted([*backend.faults, *backend.excused]) == sorted(FAULTS)
    assert all(backend.excused.values())
    tried.case(len(backend.faults))


@pytest.mark.parametrize(
    "backend",
    [pytest.param(name, marks=proof_of(name)) for name in BACKENDS if can_have(name, "destroyed")],
    indirect=True,
)
def test_a_destroyed_root_version_is_refused_and_the_new_one_serves(
    backend: Backend, tried: Tried
) -> None:
    raw, old = backend.service.generate(CONTEXT)
    backend.add_version()
    new = backend.service.rewrap(old, CONTEXT)
    assert backend.service.unwrap(old, CONTEXT) == raw  # control

    backend.faults["destroyed"]()

    with pytest.raises(Refused):
        backend.service.unwrap(old, CONTEXT)
    with pytest.raises(Refused):
        backend.service.rewrap(old, CONTEXT)
    assert backend.service.unwrap(new, CONTEXT) == raw
    assert backend.service.health().works
    tried.case()


@pytest.mark.parametrize(
    ("backend", "fault"),
    [
        pytest.param(name, fault, marks=proof_of(name))
        for name in BACKENDS
        for fault in ANSWERS
        if can_have(name, fault)
    ],
    indirect=["backend"],
)
def test_each_fault_has_its_error_in_time(backend: Backend, tried: Tried, fault: str) -> None:
    raw, blob = backend.service.generate(CONTEXT)
    assert backend.service.unwrap(blob, CONTEXT) == raw  # control
    backend.faults[fault]()

    started = time.monotonic()
    with pytest.raises(ANSWERS[fault]):
        backend.service.unwrap(blob, CONTEXT)
    seconds = time.monotonic() - started

    assert seconds < SLOW_BOUND_SECONDS
    if fault != "slow":  # it would take as long again
        assert not backend.service.health().works
    tried.case()
