"""Environments of rivals that cannot share ours, built once from their pinned requirements."""

import hashlib
import subprocess
import sys
from pathlib import Path

RIVALS = Path(__file__).resolve().parent
BUILT = RIVALS.parents[2] / "var" / "rivals"


def python_of(rival: str) -> Path:
    """Return the interpreter of a rival's environment, which is built where it is missing or old.

    ``build.txt`` pins what builds a rival that is published as source only.

    Raises:
        subprocess.CalledProcessError: a package could not be installed, or has another hash.
    """
    files = [path for name in ("build", "requirements") if (path := _file(rival, name)).exists()]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    folder = BUILT / rival
    python, stamp = folder / "bin" / "python", folder / "stamp"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    for path in files:
        _install(python, path)
    stamp.write_text(digest, encoding="utf-8")
    return python


def _file(rival: str, name: str) -> Path:
    return RIVALS / rival / f"{name}.txt"


def _install(python: Path, requirements: Path) -> None:
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    pinned = ["--require-hashes", "--no-build-isolation", "-r", str(requirements)]
    subprocess.run([*pip, "install", *pinned], check=True)
