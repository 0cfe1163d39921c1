"""What can be set, held, raised or installed stands in docs/reference."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from foundation.registry import every_registry
from portal import reference
from portal.embedded.roles import ROLES, SUPERUSER
from tests.architecture.source import PACKAGES, ROOT

REFERENCE = ROOT / "docs" / "reference"
READERS = (
    re.compile(r"""environment\.(?:text|secret|integer|flag|names|path)\(\s*"([A-Z_0-9]+)\""""),
    re.compile(r"""environ(?:\.get\(|\[)"([A-Z_0-9]+)\""""),
    re.compile(r""""([A-Z_]*DATABASE_URL)\""""),
)
# Not ours: where the operating system and Django look.
FOREIGN_VARIABLES = {"PATH", "DJANGO_SETTINGS_MODULE"}
# What only the type checker sees.
TYPES_ALONE = {"_typeshed"}
REGISTRY = re.compile(r"""= Registry\(\s*"([^"]+)\"""")
REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9-]*)")


def settings_read() -> set[str]:
    """Give the variables that settings, embedded servers and supervisor read."""
    found: set[str] = set()
    for path in (ROOT / "portal").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for reader in READERS:
            found |= set(reader.findall(text))
    return found - FOREIGN_VARIABLES


def table_rows(page: str) -> list[list[str]]:
    """Give the cells of all table rows of a page, without heads."""
    lines = (REFERENCE / page).read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in lines
        if line.startswith("|")
    ]
    return [row for row in rows if row[0].startswith("`")]


def names(page: str) -> list[str]:
    return [row[0].strip("`") for row in table_rows(page)]


def requirements(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {match[1].lower() for line in lines if (match := REQUIREMENT.match(line))}


def installed_with_portal() -> set[str]:
    """Give what the portal imports: always, and where the key service needs a library."""
    return requirements("requirements.in") | requirements("requirements-key-services.in")


def imported(folders: tuple[str, ...]) -> Iterator[str]:
    """Give the top-level module of every import of another's code."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module.partition(".")[0]


def distributions(folders: tuple[str, ...]) -> set[str]:
    """Give the distributions that the code of some folders imports."""
    known = packages_distributions()
    ours = {*PACKAGES, "tests", *sys.stdlib_module_names, *TYPES_ALONE}
    modules = {name for name in imported(folders) if name not in ours}
    return {known[name][0].lower() if name in known else name for name in modules}


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    read = settings_read()
    documented = names("settings.md")

    assert len(read) > 30
    assert sorted(documented) == sorted(read)


def test_every_setting_has_meaning_default_and_example() -> None:
    incomplete = [row[0] for row in table_rows("settings.md") if len(row) != 4 or not all(row)]

    assert incomplete == []


def test_every_direct_dependency_has_its_reason() -> None:
    wanted = installed_with_portal() | requirements("requirements-dev.in")

    assert sorted(names("dependencies.md")) == sorted(wanted)
    assert all(row[1] for row in table_rows("dependencies.md"))


def test_every_imported_library_is_a_direct_dependency() -> None:
    of_portal = installed_with_portal()

    portal, tests = distributions(PACKAGES), distributions(("tests",))

    assert "django" in portal & tests
    assert portal - of_portal == set()
    assert tests - of_portal - requirements("requirements-dev.in") == set()


def test_no_file_of_requirements_names_an_index() -> None:
    for path in ROOT.glob("requirements*"):
        assert "://" not in path.read_text(encoding="utf-8"), path.name


def test_every_database_role_is_documented() -> None:
    assert sorted(names("database-roles.md")) == sorted({SUPERUSER, *(role.name for role in ROLES)})


def test_every_outside_system_is_real_fake_or_not_run() -> None:
    lines = (REFERENCE / "evidence.md").read_text(encoding="utf-8").splitlines()
    states = [line.split("|")[2].strip() for line in lines if line.startswith("| ")][1:]

    assert len(states) > 20
    assert set(states) == {"real", "fake", "not run"}


def test_the_generated_reference_pages_are_those_of_the_code() -> None:
    # In a process of its own: tests put contributions of their own into this one's registries.
    done = subprocess.run(
        [sys.executable, "manage.py", "reference"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(reference.pages()) == 5
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_registry_of_the_code_is_there_at_the_start() -> None:
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            found |= set(REGISTRY.findall(path.read_text(encoding="utf-8")))

    page = (REFERENCE / "registries.md").read_text(encoding="utf-8")

    assert len(found) > 15
    assert [name for name in sorted(found) if f"| {name} |" not in page] == []


@pytest.mark.parametrize("registry", every_registry(), ids=lambda registry: registry.name)
def test_every_registry_is_frozen_after_the_start(registry: object) -> None:
    assert getattr(registry, "_frozen") is True  # noqa: B009
