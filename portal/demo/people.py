"""The made-up people of the demo and the file that keeps their secrets.

Passphrases and TOTP secrets are random, made at the first start, kept in ``demo.json`` (0600) of
the data folder and shown nowhere but on ``/demo/``.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from accounts import factors
from foundation import clock

FILE = "demo.json"
STEP_SECONDS = 30

_WORDS = [
    "amber",
    "bridge",
    "cedar",
    "delta",
    "ember",
    "falcon",
    "garnet",
    "harbour",
    "indigo",
    "juniper",
    "kestrel",
    "lantern",
    "maple",
    "nectar",
    "orchid",
    "pebble",
    "quartz",
    "river",
    "saffron",
    "timber",
    "umber",
    "violet",
    "willow",
    "yarrow",
    "zephyr",
]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One made-up person.

    Attributes:
        email: sign-in address in the reserved domain ``example``.
        name: clearly made up.
        organisation: name of the organisation.
        role: code of the role.
        passphrase: random words.
        totp_secret: base32, as an authenticator app takes it.
    """

    email: str
    name: str
    organisation: str
    role: str
    passphrase: str
    totp_secret: str


def new_passphrase() -> str:
    """Return six random words and a number: about 34 bits, for demo data alone."""
    words = " ".join(secrets.choice(_WORDS) for _ in range(6))
    return f"{words} {secrets.randbelow(90) + 10}"


def new_totp_secret() -> str:
    """Return 160 random bits in base32 (RFC 4226, 4)."""
    return factors.new_totp_secret()


def current_code(secret: str, *, at: datetime | None = None) -> str:
    """Return the code of a TOTP secret, now or at a moment (RFC 6238)."""
    moment = at or clock.now()
    return factors.totp_code(secret, counter=int(moment.timestamp()) // STEP_SECONDS)


def save(people: list[DemoPerson]) -> None:
    """Write the people to the data folder, readable by the owner alone."""
    path = _path()
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump([asdict(person) for person in people], stream, indent=1)
    temporary.replace(path)


def load() -> list[DemoPerson]:
    """Return the people of the data folder; none where the demo was not loaded."""
    try:
        text = _path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [DemoPerson(**item) for item in json.loads(text)]


def _path() -> Path:
    return Path(settings.DATA_DIR) / FILE
