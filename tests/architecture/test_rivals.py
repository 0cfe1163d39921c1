"""Rivals of the benchmarks are pinned as our own requirements are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RIVALS = ROOT / "tests" / "benchmarks" / "rivals"
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
FILES = sorted([*RIVALS.glob("*/requirements.txt"), *RIVALS.glob("*/build.txt")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_rival_is_pinned_with_hashes_and_names_no_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert len(FILES) == 4
    assert text.count("--hash=") >= len(PIN.findall(text)) > 0
    assert "://" not in text


def test_rivals_run_on_our_django_and_our_driver() -> None:
    ours = dict(PIN.findall((ROOT / "requirements.txt").read_text(encoding="utf-8")))

    for path in RIVALS.glob("*/requirements.txt"):
        theirs = dict(PIN.findall(path.read_text(encoding="utf-8")))
        for name in ("django", "psycopg"):
            assert theirs[name] == ours[name], f"{path.parent.name}: {name}"
