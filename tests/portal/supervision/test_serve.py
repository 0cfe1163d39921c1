import socket
import subprocess
import sys
from pathlib import Path

import pytest

from portal.embedded.folder import FolderLock, prepare

CHECKOUT = Path(__file__).resolve().parents[3]


def serve(*arguments: str | Path) -> tuple[int, list[str]]:
    """Run ``manage.py serve`` to its end; return status and lines."""
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", *map(str, arguments)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_gives_one_line(open_place: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        status, lines = serve("--data", open_place / "data", "--port", str(port))

    assert status == 1
    assert len(lines) == 1
    assert f"Port {port}" in lines[0]
    assert "PORT=" in lines[0]


def test_a_second_start_on_the_same_data_gives_one_line(open_place: Path) -> None:
    data = prepare(open_place / "data")

    with FolderLock(data.path):
        status, lines = serve("--data", data.path, "--port", str(free_port()))

    assert status == 1
    assert len(lines) == 1
    assert "already runs" in lines[0]


def test_a_foreign_data_folder_gives_one_line(open_place: Path) -> None:
    (open_place / "photo.jpg").write_bytes(b"")

    status, lines = serve("--data", open_place, "--port", str(free_port()))

    assert status == 1
    assert len(lines) == 1
    assert "photo.jpg" in lines[0]


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_a_wrong_port_is_refused(open_place: Path, port: str) -> None:
    status, lines = serve("--data", open_place / "data", "--port", port)

    assert status == 2
    assert "--port" in lines[-1]


def test_too_old_python_gives_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *version_info*) exit 1;; esac\necho 3.9.2\n')
    old.chmod(0o755)
    checkout = tmp_path / "checkout"
    (checkout / "bin").mkdir(parents=True)
    script = checkout / "bin" / "setup"
    script.write_bytes((CHECKOUT / "bin" / "setup").read_bytes())

    done = subprocess.run(
        ["bash", script], env={"PATH": "/usr/bin:/bin", "PYTHON": str(old)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 1
    assert len(lines) == 1
    assert "3.11" in lines[0]
    assert "3.9.2" in lines[0]
