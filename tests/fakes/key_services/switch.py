"""What every fake key service can be told to do wrong."""

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.fakes.https import Received, Reply, Script

SLOW_SECONDS = 30


@dataclass
class Switch:
    """How a fake answers.

    Attributes:
        mode: empty: as it should; ``throttled``, ``broken``, ``slow``, ``wrong`` (other bytes than
            were wrapped), ``strange`` (no answer of such a service).
        released: ends all slow answers.
        asked: requests that arrived.
    """

    mode: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def opened(self, plain: bytes) -> bytes:
        """Return the bytes that are said to have been wrapped."""
        return os.urandom(len(plain)) if self.mode == "wrong" else plain

    def around(self, script: Script, busy: Callable[[], Reply]) -> Script:
        """Put the switch before a script.

        Args:
            script: answers as the service does.
            busy: the answer of a service that has too much to do.
        """

        def switched(received: Received) -> Reply:
            self.asked += 1
            if self.mode == "slow":
                self.released.wait(SLOW_SECONDS)
            if self.mode == "throttled":
                return busy()
            if self.mode == "broken":
                return Reply(503, b"<html>unavailable</html>")
            if self.mode == "strange":
                return Reply(200, b'["hello"]', {"Content-Type": "application/json"})
            return script(received)

        return switched


def answer(status: int, members: Mapping[str, object]) -> Reply:
    """Return a reply in JSON; the connection ends, so a stopped server is gone for all."""
    headers = {"Content-Type": "application/json", "Connection": "close"}
    return Reply(status, json.dumps(members).encode(), headers)


def sent(received: Received) -> dict[str, object]:
    """Return the JSON object of a request; empty where it is none."""
    try:
        found = json.loads(received.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
