import smtplib
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 20


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Start the mail sink; return its port and its folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "portal.supervision.mail_sink", str(port)]
    command.append(str(tmp_path / "mail"))
    process = subprocess.Popen(command, cwd=CHECKOUT)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield port, tmp_path / "mail"
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 0


def test_mail_is_kept_as_a_file_for_the_owner_alone(sink: tuple[int, Path]) -> None:
    port, folder = sink

    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("portal@localhost", ["alice@example.org"], "Subject: Hello\r\n\r\nText\r\n")

    (kept,) = folder.glob("*.eml")
    assert "Subject: Hello" in kept.read_text(encoding="utf-8")
    assert "X-Envelope-To: alice@example.org" in kept.read_text(encoding="utf-8")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
