"""What the command line of ``serve`` says."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.embedded.folder import default_path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of one start.

    Attributes:
        data: the data folder.
        port: of the web server, on the loopback interface.
        demo: load demo data, open ``/demo/`` and receive all mail ourselves.
        web_workers: processes of the web server.
    """

    data: Path
    port: int
    demo: bool
    web_workers: int

    @property
    def address(self) -> str:
        """The portal's address; by name, because passkeys refuse an IP address."""
        return f"http://localhost:{self.port}"


def parse(arguments: Sequence[str]) -> Options:
    """Read the arguments; a mistake ends the process with a usage line."""
    parser = parser_of_serve()
    found = parser.parse_args(arguments)
    if not 0 < found.port <= _HIGHEST_PORT:
        parser.error(f"--port must lie between 1 and {_HIGHEST_PORT}")
    return Options(
        data=Path(found.data).absolute() if found.data else default_path(CHECKOUT),
        port=found.port,
        demo=found.demo,
        web_workers=found.web_workers or os.cpu_count() or 1,
    )


def parser_of_serve() -> argparse.ArgumentParser:
    """Return the parser, also for ``manage.py help serve``."""
    parser = argparse.ArgumentParser(
        prog="manage.py serve", description="Run the portal with all its processes."
    )
    parser.add_argument(
        "--data", default="", help="data folder (default: var/data in the checkout)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port on loopback (default: 8000)")
    parser.add_argument("--demo", action="store_true", help="with demo data and a mail sink")
    parser.add_argument(
        "--web-workers", type=int, default=0, help="web processes (default: one per core)"
    )
    return parser
