import hashlib
import re
from pathlib import Path

from django.conf import settings

VENDOR = Path(settings.BASE_DIR) / "foundation/web/static/web/vendor"
ROW = re.compile(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_vendored_files_have_the_digests_that_were_read() -> None:
    rows = dict(ROW.findall((VENDOR / "VENDORED.md").read_text(encoding="utf-8")))

    assert {name: _digest(name) for name in rows} == rows


def test_every_vendored_file_is_listed() -> None:
    rows = dict(ROW.findall((VENDOR / "VENDORED.md").read_text(encoding="utf-8")))

    assert {path.name for path in VENDOR.iterdir()} - {"VENDORED.md"} <= set(rows)


def _digest(name: str) -> str:
    return hashlib.sha256((VENDOR / name).read_bytes()).hexdigest()
