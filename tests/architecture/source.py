"""The code of the portal as the guards read it: files, modules, and what an expression holds."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "foundation",
    "encryption",
    "audit",
    "accounts",
    "privacy",
    "workspace",
    "integrations",
    "operations",
    "portal",
)


def files() -> Iterator[Path]:
    """Give the files of the portal's own code, without migrations."""
    for package in PACKAGES:
        yield from (
            path
            for path in sorted((ROOT / package).rglob("*.py"))
            if "migrations" not in path.parts
        )


def tree_of(path: Path) -> ast.Module:
    """Return the syntax of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> ModuleType:
    """Return the module of a file."""
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return import_module(dotted.removesuffix(".__init__"))


def is_constant(expression: ast.expr) -> bool:
    """Say whether an expression is a name in capitals, by itself or of a module."""
    name = expression.attr if isinstance(expression, ast.Attribute) else ""
    return (expression.id if isinstance(expression, ast.Name) else name).isupper()


def held(expression: ast.expr, module: ModuleType) -> object:
    """Return what names and attributes of a module hold; None where a local name stands there."""
    if isinstance(expression, ast.Constant):
        return expression.value
    if isinstance(expression, ast.Name):
        return getattr(module, expression.id, None)
    if isinstance(expression, ast.Attribute):
        return getattr(held(expression.value, module), expression.attr, None)
    return None
