"""The demo's mail server: keeps each message as a file and sends nothing on.

Run as ``python -m portal.supervision.mail_sink PORT FOLDER``.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_MESSAGE_BYTES = 10_000_000


class Keeper:
    """Writes each message to ``<milliseconds>-<number>.eml``, mode 0600."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(  # noqa: N802  aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one message, under a hidden name until it is whole."""
        self._count += 1
        name = f"{time.time_ns() // 1_000_000}-{self._count:04d}.eml"
        partial = self._folder / f".{name}"
        content = envelope.original_content or b""
        recipients = ", ".join(envelope.rcpt_tos)
        partial.write_bytes(f"X-Envelope-To: {recipients}\r\n".encode() + content)
        partial.rename(self._folder / name)
        return "250 Kept"


async def serve(port: int, folder: Path) -> None:
    """Receive mail on loopback until SIGTERM."""
    loop = asyncio.get_running_loop()
    keeper = Keeper(folder)
    server = await loop.create_server(
        lambda: SMTP(keeper, data_size_limit=LARGEST_MESSAGE_BYTES, hostname="localhost"),
        host="127.0.0.1",
        port=port,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    server.close()


def main() -> None:
    """Read port and folder from the command line."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    os.umask(0o077)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(serve(port, folder))


if __name__ == "__main__":
    main()
