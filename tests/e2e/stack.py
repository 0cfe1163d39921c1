"""The really running stack: ``manage.py serve`` with all its processes, and a real SMTP sink."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import psycopg
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 150
STOP_SECONDS = 60


class Mailbox:
    """A mail server that keeps what it is given, in order."""

    def __init__(self) -> None:
        self._mails: list[EmailMessage] = []
        self._arrived = threading.Condition()

    async def handle_DATA(  # noqa: N802  the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        with self._arrived:
            self._mails.append(message_from_bytes(raw, policy=policy.default))
            self._arrived.notify_all()
        return "250 kept"

    @property
    def mails(self) -> list[EmailMessage]:
        """All mails so far."""
        with self._arrived:
            return list(self._mails)

    def wait_for(
        self, *, to: str, containing: str = "", after: int = 0, seconds: float = 60
    ) -> EmailMessage:
        """Return the first mail to an address, from the ``after``-th on, that holds a text."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                for mail in self._mails[after:]:
                    if (
                        to in str(mail["To"])
                        and containing in f"{mail['Subject']}\n{text_of(mail)}"
                    ):
                        return mail
                left = deadline - time.monotonic()
                if left <= 0:
                    subjects = [(str(mail["To"]), str(mail["Subject"])) for mail in self._mails]
                    raise AssertionError(f"no mail to {to} with {containing!r} in {subjects}")
                self._arrived.wait(left)


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    body = mail.get_body(("plain",))
    return "" if body is None else str(body.get_content())


def link_in(mail: EmailMessage, *, containing: str = "http://") -> str:
    """Return the first address in a mail that holds a text."""
    for found in re.findall(r"https?://[^\s>\")]+", text_of(mail)):
        if containing in found:
            return str(found)
    raise AssertionError(f"no address with {containing!r} in {text_of(mail)}")


@dataclass(slots=True)
class Stack:
    """A running portal.

    Attributes:
        address: ``http://localhost:<port>``.
        data: data folder.
        mailbox: where its mail arrives.
        output: lines of the supervisor.
        setup_path: path of the set-up page, where one was printed.
    """

    address: str
    data: Path
    mailbox: Mailbox
    process: "subprocess.Popen[str]"
    start: "Callable[[], subprocess.Popen[str]]"
    output: list[str] = field(default_factory=list)
    setup_path: str = ""

    def stop(self) -> None:
        """Stop the portal as Ctrl-C would."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def start_again(self) -> None:
        """Start it again with the same folder and settings; do not wait until it is ready."""
        self.process = self.start()
        _read_output(self, threading.Event())

    def secret(self, name: str) -> str:
        """Return a value of ``secrets.env``, as an operator's script would read it."""
        for line in (self.data / "secrets.env").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if key == name:
                return value
        raise KeyError(name)

    def connect(
        self, role: str, *, database: str = "gatehouse"
    ) -> "psycopg.Connection[tuple[object, ...]]":
        """Open a database connection outside the product's code."""
        password = self.secret(f"{role.upper()}_PASSWORD")
        host = quote(str(self.socket_folder()), safe="/")
        return psycopg.connect(
            f"postgresql://{role}:{password}@/{database}?host={host}", autocommit=True
        )

    def socket_folder(self) -> Path:
        """Return the folder of PostgreSQL's socket, from its lock file."""
        pid_file = next(self.data.rglob("postmaster.pid"))
        return Path(pid_file.read_text(encoding="utf-8").splitlines()[4])

    def entries(self, event_type: str) -> list[tuple[object, ...]]:
        """Return (body, actor, outcome) of the journal's entries of a type, oldest first."""
        with self.connect("gatehouse_journal_reader") as connection:
            return connection.execute(
                "SELECT body, actor_id, outcome FROM audit_event WHERE type = %s "
                "ORDER BY occurred_at, seq",
                [event_type],
            ).fetchall()

    def move_clock(self, seconds: int) -> None:
        """Move the clock of this test database."""
        with self.connect("gatehouse_app") as connection:
            moved = connection.execute(
                "UPDATE foundation_installation SET clock_offset_seconds = %s WHERE kind = 'test'",
                [seconds],
            ).rowcount
        assert moved == 1


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that the account of the database servers can enter, and remove it.

    pytest's own temporary folders are closed to all others; as root the servers run as another
    account.
    """
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-e2e-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_stack(
    folder: Path, *, extra: dict[str, str] | None = None, options: tuple[str, ...] = ()
) -> Iterator[Stack]:
    """Start the portal on an empty data folder and stop it as Ctrl-C would."""
    mailbox, mail_port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mail_port)
    controller.start()
    port = free_port()
    environment = _environment(mail_port) | (extra or {})
    command = [sys.executable, "manage.py", "serve", "--data", str(folder), "--port", str(port)]

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*command, "--web-workers", "1", *options],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    stack = Stack(f"http://localhost:{port}", folder, mailbox, start(), start)
    try:
        _wait_until_ready(stack)
        yield stack
    finally:
        stack.stop()
        controller.stop()


def _environment(mail_port: int) -> dict[str, str]:
    """Return a clean environment: nothing of the tests' own servers."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_port),
        "TEST_CLOCK": "yes",
        "CANARY": secrets.token_hex(8),
    }


def _wait_until_ready(stack: Stack) -> None:
    ready = threading.Event()
    _read_output(stack, ready)
    deadline = time.monotonic() + READY_SECONDS
    while not ready.wait(0.2):
        if stack.process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError("the portal did not start:\n" + "\n".join(stack.output[-40:]))


def _read_output(stack: Stack, ready: threading.Event) -> None:
    """Keep the lines of the supervisor and set ``ready`` when it says that the portal is."""
    lines = stack.process.stdout or ()

    def read() -> None:
        for line in lines:
            stack.output.append(line.rstrip())
            if "/setup/" in line:
                stack.setup_path = line.rstrip()[line.index("/setup/") :]
            if line.startswith("Stop:"):
                ready.set()

    threading.Thread(target=read, daemon=True).start()
