"""The tower stands: imports go down only, and nothing hides."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT

REFUSED_NAMES = {
    "utils",
    "helpers",
    "common",
    "core",
    "misc",
    "manager",
    "handler",
    "processor",
    "data",
    "extras",
}
# Signals carry no business meaning: these modules receive those of Django and of libraries.
SIGNAL_MODULES = {
    "accounts/signals.py",
    "audit/signals.py",
    "encryption/signals.py",
    "integrations/partners/signals.py",
    "portal/signals.py",
}


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_import_contract_is_kept() -> None:
    answer = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout[-3000:]
    assert "contracts: " in answer.stdout.lower() or "kept" in answer.stdout.lower()


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [str(path.relative_to(ROOT)) for path in modules() if path.stem in REFUSED_NAMES]

    assert found == []


def test_no_module_is_longer_than_600_lines_and_no_function_than_60() -> None:
    long_modules = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 600
    ]
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > 60
    ]

    assert long_modules == []
    assert long_functions == []


def test_no_function_imports() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        for node in functions(path)
        if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))
    ]

    assert found == []


def test_signals_are_received_in_listed_modules_only() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in modules()
        if "@receiver(" in (text := path.read_text(encoding="utf-8"))
        or "_signal.connect(" in text
        or "signals import" in text
    }

    assert found <= SIGNAL_MODULES


@pytest.mark.parametrize("word", ["keys", "keys_vault"])
def test_only_encryption_uses_the_keys_database(word: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in modules()
        if not path.is_relative_to(ROOT / "encryption")
        and not path.is_relative_to(ROOT / "portal")
        and f'using="{word}"' in path.read_text(encoding="utf-8")
    ]

    assert found == []
