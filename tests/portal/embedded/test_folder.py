import os
import stat
from pathlib import Path

import pytest

from portal.embedded import secrets_file
from portal.embedded.errors import EmbeddedError
from portal.embedded.folder import LONGEST_SOCKET_FOLDER, FolderLock, prepare


def test_second_start_on_the_same_folder_is_refused_with_one_line(open_place: Path) -> None:
    data = prepare(open_place / "data")

    with FolderLock(data.path), pytest.raises(EmbeddedError) as refusal:
        FolderLock(data.path).acquire()

    assert "already runs" in str(refusal.value)
    assert str(os.getpid()) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_lock_is_free_again_after_release(open_place: Path) -> None:
    data = prepare(open_place / "data")

    with FolderLock(data.path):
        pass

    with FolderLock(data.path):
        pass


def test_folder_with_foreign_files_is_refused(open_place: Path) -> None:
    (open_place / "thesis.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(EmbeddedError, match=r"thesis\.txt"):
        prepare(open_place)


def test_folder_of_another_user_is_refused(open_place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    path = open_place / "data"
    path.mkdir(mode=0o711)
    os.chown(path, 12_345, 12_345)

    with pytest.raises(EmbeddedError, match="uid 12345"):
        prepare(path)


def test_folder_that_others_may_write_is_refused(open_place: Path) -> None:
    path = open_place / "data"
    path.mkdir()
    path.chmod(0o777)

    with pytest.raises(EmbeddedError, match="chmod go-w"):
        prepare(path)


def test_closed_parent_is_refused_as_root_and_never_opened(open_place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's servers run as that user")
    open_place.chmod(0o700)

    with pytest.raises(EmbeddedError, match="cannot enter"):
        prepare(open_place / "data")

    assert stat.S_IMODE(open_place.stat().st_mode) == 0o700


def test_long_path_gets_a_short_socket_folder_of_its_own(open_place: Path) -> None:
    first = prepare(open_place / ("a" * 150))
    second = prepare(open_place / ("b" * 150))

    assert len(str(first.sockets)) <= LONGEST_SOCKET_FOLDER
    assert first.sockets != second.sockets
    assert stat.S_IMODE(first.sockets.stat().st_mode) == 0o700
    for folder in (first, second):
        folder.sockets.rmdir()


def test_socket_folder_that_somebody_made_before_us_is_refused(open_place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    path = open_place / ("c" * 150)
    data = prepare(path)
    os.chown(data.sockets, 12_345, 12_345)

    with pytest.raises(EmbeddedError, match="another operating system user"):
        prepare(path)

    data.sockets.rmdir()


def test_secrets_are_made_once_and_only_for_the_owner(open_place: Path) -> None:
    path = open_place / "secrets.env"

    first = secrets_file.load_or_create(path, ["A", "B"])
    second = secrets_file.load_or_create(path, ["A", "B", "C"])

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {name: second[name] for name in first} == first
    assert len({*second.values()}) == 3


def test_secrets_that_others_may_read_are_refused(open_place: Path) -> None:
    path = open_place / "secrets.env"
    secrets_file.load_or_create(path, ["A"])
    path.chmod(0o640)

    with pytest.raises(EmbeddedError, match="chmod 600"):
        secrets_file.read(path)
