"""The root key file as a key service."""

import base64
import os
from pathlib import Path

import pytest

from encryption.providers import key_file
from encryption.providers.base import BadBlob, Context, Refused, Unavailable, canonical
from encryption.providers.key_file import KeyFile, create

CONTEXT: Context = {"app": "gatehouse", "installation": "i", "purpose": "general", "epoch": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a new root key file."""
    found = tmp_path / "root.key"
    create(found)
    return found


def add_version(path: Path, number: int) -> None:
    line = f"gatehouse-root-key 1 {number} {base64.b64encode(os.urandom(32)).decode()}\n"
    with path.open("a", encoding="ascii") as file:
        file.write(line)


def test_a_new_file_is_for_its_owner_alone_and_is_never_replaced(path: Path) -> None:
    content = path.read_bytes()

    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        create(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)

    with pytest.raises(Refused, match="0600"):
        KeyFile(path).generate(CONTEXT)
    path.chmod(0o600)
    assert KeyFile(path).health().works  # control


def test_a_mode_that_changes_while_running_is_refused(path: Path) -> None:
    service = KeyFile(path)
    _, blob = service.generate(CONTEXT)
    path.chmod(0o644)

    with pytest.raises(Refused):
        service.unwrap(blob, CONTEXT)


def test_keys_come_back_for_the_same_context_alone(path: Path) -> None:
    service = KeyFile(path)
    raw, blob = service.generate(CONTEXT)

    assert len(raw) == 32
    assert service.unwrap(blob, CONTEXT) == raw
    assert service.unwrap(service.rewrap(blob, CONTEXT), CONTEXT) == raw
    for name, value in (("installation", "j"), ("purpose", "vault"), ("epoch", 2)):
        with pytest.raises(BadBlob):
            service.unwrap(blob, {**CONTEXT, name: value})


def test_changed_and_cut_blobs_are_refused(path: Path) -> None:
    service = KeyFile(path)
    raw, blob = service.generate(CONTEXT)
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises((BadBlob, Refused)):
            service.unwrap(bytes(changed), CONTEXT)
        with pytest.raises(BadBlob):
            service.unwrap(blob[:position], CONTEXT)

    assert service.unwrap(blob, CONTEXT) == raw


def test_the_last_version_wraps_and_all_unwrap(path: Path) -> None:
    service = KeyFile(path)
    raw, old = service.generate(CONTEXT)
    assert service.version == "key_file:1"

    add_version(path, 2)
    new = service.rewrap(old, CONTEXT)

    assert service.version == "key_file:2"
    assert service.unwrap(old, CONTEXT) == service.unwrap(new, CONTEXT) == raw
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert service.unwrap(new, CONTEXT) == raw
    with pytest.raises(Refused, match="root version"):
        service.unwrap(old, CONTEXT)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        "gatehouse-root-key 1 1\n",
        "gatehouse-root-key 2 1 AAAA\n",
        "gatehouse-root-key 1 x AAAA\n",
        "gatehouse-root-key 1 1 AAAA\n",
        "gatehouse-root-key 1 1 !\n",
        "ż\n",
    ],
)
def test_a_damaged_file_is_refused_without_showing_it(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")

    with pytest.raises(Refused, match=r"damaged|empty") as caught:
        KeyFile(path).generate(CONTEXT)
    assert "AAAA" not in str(caught.value)


def test_a_version_given_twice_is_refused(path: Path) -> None:
    add_version(path, 1)

    with pytest.raises(Refused):
        _ = KeyFile(path).version


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    service = KeyFile(tmp_path / "none")

    with pytest.raises(Unavailable, match="No such file"):
        service.generate(CONTEXT)
    assert not service.health().works
    assert "No such file" in service.health().problem


def test_the_bound_context_is_canonical() -> None:
    assert canonical({"b": 1, "a": "ż"}) == '{"a":"ż","b":1}'.encode()


def test_a_root_version_is_added_and_an_old_one_destroyed(path: Path) -> None:
    service = KeyFile(path)
    raw, old = service.generate(CONTEXT)

    assert key_file.add_version(path) == 2
    new = service.rewrap(old, CONTEXT)
    key_file.destroy(path, 1)

    assert path.stat().st_mode & 0o777 == 0o600
    assert service.version == service.version_of(new) == "key_file:2"
    assert service.version_of(old) == "key_file:1"
    assert service.unwrap(new, CONTEXT) == raw
    with pytest.raises(Refused):
        service.unwrap(old, CONTEXT)
    assert sorted(file.name for file in path.parent.iterdir()) == ["root.key", "root.key.lock"]


@pytest.mark.parametrize(("number", "why"), [(1, "newest"), (2, "does not hold")])
def test_the_version_that_wraps_and_one_that_is_missing_are_not_destroyed(
    path: Path, number: int, why: str
) -> None:
    content = path.read_bytes()

    with pytest.raises(Refused, match=why):
        key_file.destroy(path, number)

    assert path.read_bytes() == content


def test_a_file_that_cannot_be_rewritten_stays_as_it_is(path: Path, tmp_path: Path) -> None:
    path.chmod(0o644)
    content = path.read_bytes()

    with pytest.raises(Refused, match="0600"):
        key_file.add_version(path)
    with pytest.raises(Unavailable, match="No such file"):
        key_file.add_version(tmp_path / "none" / "root.key")

    assert path.read_bytes() == content


def test_versions_added_at_once_all_stay(path: Path) -> None:
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            try:
                key_file.add_version(path)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)

    assert KeyFile(path).version == "key_file:9"
    assert len(path.read_text().splitlines()) == 9


class ForgetfulKeyFile(KeyFile):
    """Gives another key than was wrapped."""

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return another key."""
        return bytes(len(super().unwrap(blob, context)))


def test_a_service_that_returns_another_key_is_not_healthy(path: Path) -> None:
    assert KeyFile(path).health().works  # control

    assert not ForgetfulKeyFile(path).health().works
    assert "another key" in ForgetfulKeyFile(path).health().problem
