"""What can be set, held or raised stands in docs/reference."""

import re
from pathlib import Path

import pytest

from foundation.access.permissions import permissions
from foundation.registry import every_registry

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
READER = re.compile(
    r"""environment\.(?:text|secret|integer|flag|names|path)\(\s*"([A-Z_0-9]+)\""""
)


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


def test_every_permission_is_documented() -> None:
    page = (REFERENCE / "permissions.md").read_text(encoding="utf-8")

    missing = [code for code in permissions.keys() if f"`{code}`" not in page]

    assert len(permissions) > 10
    assert missing == []


def test_every_registry_is_documented() -> None:
    page = (REFERENCE / "registries.md").read_text(encoding="utf-8")

    missing = [registry.name for registry in every_registry() if registry.name not in page]

    assert missing == []


@pytest.mark.parametrize("registry", every_registry(), ids=lambda registry: registry.name)
def test_every_registry_is_frozen_after_the_start(registry: object) -> None:
    assert getattr(registry, "_frozen") is True  # noqa: B009
