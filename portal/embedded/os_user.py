"""The operating system account that runs the servers when the supervisor is root."""

import os
import pwd
from dataclasses import dataclass

from portal.embedded.errors import EmbeddedError

CANDIDATES = ("postgres", "pgserver", "nobody")


@dataclass(frozen=True, slots=True)
class OsUser:
    """An account of the operating system; never created here, only chosen."""

    name: str
    uid: int
    gid: int


def server_user() -> OsUser:
    """Return the account for PostgreSQL and Valkey: our own, or as root an unprivileged one.

    Raises:
        EmbeddedError: we are root and none of the candidates exists.
    """
    if os.geteuid() != 0:
        return OsUser(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root and none of the accounts {', '.join(CANDIDATES)} exists"
    )


def drops_privileges(user: OsUser) -> bool:
    """Say whether a child must change to this account."""
    return user.uid != os.geteuid()
