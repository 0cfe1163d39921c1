"""What can be set, held or raised stands in docs/reference."""

import re
from pathlib import Path

import pytest

from foundation.registry import every_registry
from portal import reference

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
READER = re.compile(r"""environment\.(?:text|secret|integer|flag|names|path)\(\s*"([A-Z_0-9]+)\"""")


def settings_read() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "portal" / "settings").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(READER.findall(text))
        found |= set(re.findall(r'"([A-Z_]+_DATABASE_URL|DATABASE_URL)"', text))
    return found


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    names = settings_read()

    missing = sorted(name for name in names if f"`{name}`" not in page)

    assert len(names) > 20
    assert missing == []


def test_the_generated_reference_pages_are_those_of_the_code() -> None:
    assert len(reference.pages()) == 5
    assert reference.stale() == [], "run manage.py reference --write"


@pytest.mark.parametrize("registry", every_registry(), ids=lambda registry: registry.name)
def test_every_registry_is_frozen_after_the_start(registry: object) -> None:
    assert getattr(registry, "_frozen") is True  # noqa: B009
