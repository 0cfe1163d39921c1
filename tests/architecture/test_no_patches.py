"""Tests put nothing in the place of the portal's own code: they make the real condition."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import PACKAGES, ROOT, tree_of

PATCHES = frozenset({"setattr", "delattr"})
# A benchmark leaves a part out to weigh it; it proves nothing about it.
WEIGHING = ROOT / "tests" / "benchmarks"


def test_no_test_patches_our_own_code() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if not path.is_relative_to(WEIGHING)
        for line in patches_of(tree_of(path))
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "monkeypatch.setattr(services, 'x', 1)",
        "monkeypatch.setattr(services.health, 'x', 1)",
        "monkeypatch.setattr(type(services), 'x', 1)",
        "monkeypatch.setattr('privacy.queries.x', 1)",
        "patched.setattr(labels.registered, '__defaults__', ())",
        "monkeypatch.delattr(services, 'x')",
        "monkeypatch.setattr(given, 'x', 1)",
        "monkeypatch.setattr(target=services, name='x', value=1)",
    ],
)
def test_the_guard_finds_a_patch(line: str) -> None:
    assert list(patches_of(ast.parse(IMPORTS + line))) == [4]


@pytest.mark.parametrize(
    "line",
    [
        "monkeypatch.setattr(time, 'time_ns', 1)",
        "monkeypatch.setattr(connection.connection, 'x', 1)",
        "monkeypatch.setattr('time.time_ns', 1)",
        "setattr(given, 'x', 1)",
        "monkeypatch.setenv('X', '1')",
    ],
)
def test_the_guard_lets_others_code_pass(line: str) -> None:
    assert list(patches_of(ast.parse(IMPORTS + line))) == []


IMPORTS = """import time
from django.db import connection
from operations.health import services, labels
"""


def patches_of(tree: ast.Module) -> Iterator[int]:
    """Give the lines that patch our code, or something of which nobody can say whose it is."""
    imported = dict(_imports(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_patch = node.func.attr in PATCHES
            if is_patch and not _is_foreign(_target(node), imported):
                yield node.lineno


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give each imported name with the top package it comes from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.partition(".")[0]
                yield alias.asname or package, package
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, (node.module or "").partition(".")[0]


def _target(call: ast.Call) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "target"]
    return next(iter([*call.args[:1], *named]), None)


def _is_foreign(target: ast.expr | None, imported: dict[str, str]) -> bool:
    if isinstance(target, ast.Constant):
        return str(target.value).partition(".")[0] not in PACKAGES
    while isinstance(target, ast.Attribute):
        target = target.value
    package = imported.get(target.id) if isinstance(target, ast.Name) else None
    return package is not None and package not in {*PACKAGES, "tests"}
