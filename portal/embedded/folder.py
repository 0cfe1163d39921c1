"""The data folder: its place, its owner, its lock and its socket folder."""

import fcntl
import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from portal.embedded.errors import EmbeddedError
from portal.embedded.os_user import OsUser, drops_privileges, server_user

MARKER = "gatehouse-data"
ROOT_PLACE = Path("/var/lib/gatehouse")
# A unix socket's path has 108 bytes on Linux, 104 on macOS; PostgreSQL appends a file name.
LONGEST_SOCKET_FOLDER = 80
_MODES_OF_OTHERS = 0o022


@dataclass(frozen=True, slots=True)
class DataFolder:
    """All paths of one installation's data.

    Attributes:
        path: the folder itself.
        user: the account that owns the servers' own folders.
    """

    path: Path
    user: OsUser

    @property
    def postgres(self) -> Path:
        """PostgreSQL's cluster."""
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's append-only file and configuration."""
        return self.path / "valkey"

    @property
    def programs(self) -> Path:
        """Copies of the servers' programs for a dropped account, shared by all data folders."""
        return ROOT_PLACE / "programs"

    @property
    def secrets_file(self) -> Path:
        """Passwords of all roles, mode 0600."""
        return self.path / "secrets.env"

    @property
    def root_key_file(self) -> Path:
        """The root key of encryption, mode 0600."""
        return self.path / "root.key"

    @property
    def services_log(self) -> Path:
        """What PostgreSQL and Valkey say, mode 0600."""
        return self.path / "services.log"

    @property
    def mail(self) -> Path:
        """Mail that the demo's sink received."""
        return self.path / "mail"

    @property
    def sockets(self) -> Path:
        """Folder of both unix sockets; short, because a socket's path is limited."""
        inside = self.path / "sockets"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        return Path(tempfile.gettempdir()) / f"gatehouse-{digest_of(self.path)}"


def digest_of(path: Path) -> str:
    """Return a short name for a path."""
    return sha256(os.fsencode(path)).hexdigest()[:12]


def default_path(checkout: Path, *, purpose: str = "") -> Path:
    """Return where data lie when nobody says otherwise.

    An ordinary user keeps them in the checkout; root below ``/var/lib/gatehouse``, where the
    unprivileged account of the servers reaches them.

    Args:
        checkout: the folder with ``manage.py``.
        purpose: sub-folder for data of another kind, for example ``test``.
    """
    if os.geteuid() == 0:
        name = digest_of(checkout)
        return ROOT_PLACE / (f"{name}-{purpose}" if purpose else name)
    return checkout / "var" / (purpose or "data")


def prepare(path: Path) -> DataFolder:
    """Create the folder or take over one of ours.

    Raises:
        EmbeddedError: the folder belongs to someone else, holds other files, or cannot be reached
            by the account of the servers.
    """
    user = server_user()
    folder = DataFolder(path=path.absolute(), user=user)
    _make(folder)
    _check_owner(folder.path, os.geteuid())
    _mark(folder)
    for own in (folder.postgres, folder.valkey, folder.sockets):
        _make_for_server(own, user)
    if drops_privileges(user):
        _check_reachable(folder)
        ROOT_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        _make_for_server(folder.programs, user)
    return folder


class FolderLock:
    """An exclusive lock on a data folder, held until released or until the process ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._descriptor = -1

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            EmbeddedError: another process holds it.
        """
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
            self.release()
            process = f" (process {holder})" if holder else ""
            raise EmbeddedError(
                f"Gatehouse already runs on the data folder {self._path.parent}{process}; "
                "stop it first, or choose another folder with DATA="
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _make(folder: DataFolder) -> None:
    mode = 0o711 if drops_privileges(folder.user) else 0o700
    try:
        if ROOT_PLACE in folder.path.parents:
            ROOT_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"The data folder {folder.path} cannot be made: {error.strerror}"
        ) from error


def _check_owner(path: Path, uid: int) -> None:
    found = path.lstat()
    if found.st_uid != uid:
        raise EmbeddedError(
            f"The folder {path} belongs to another operating system user (uid {found.st_uid}); "
            "start as that user, or choose another folder with DATA="
        )
    if found.st_mode & _MODES_OF_OTHERS:
        raise EmbeddedError(
            f"The folder {path} may be written by other users; run: chmod go-w {path}"
        )


def _mark(folder: DataFolder) -> None:
    marker = folder.path / MARKER
    if marker.is_file():
        return
    foreign = sorted(entry.name for entry in folder.path.iterdir() if entry.name != "lock")
    if foreign:
        raise EmbeddedError(
            f"The folder {folder.path} holds files that are not Gatehouse's (such as "
            f"{foreign[0]}); choose an empty or new folder with DATA="
        )
    marker.write_text("Data of one Gatehouse installation; never edit by hand.\n", encoding="utf-8")


def _make_for_server(path: Path, user: OsUser) -> None:
    if not path.is_dir():
        path.mkdir(mode=0o700)
        os.chown(path, user.uid, user.gid)
    _check_owner(path, user.uid)


def _check_reachable(folder: DataFolder) -> None:
    """Refuse a folder below a closed one; parents are never opened."""
    for parent in folder.path.parents:
        status = parent.stat()
        own = status.st_uid == folder.user.uid and status.st_mode & 0o100
        if not (own or status.st_mode & 0o001):
            raise EmbeddedError(
                f"As root the servers run as account {folder.user.name}, which cannot enter "
                f"{parent}; leave DATA= away to use {ROOT_PLACE}, or choose an open place"
            )
