"""Typed readers of the process environment, used by ``portal.settings`` alone.

Each reader names the variable and an example when it is missing or wrong, so that the start stops
with one line that says what to do.
"""

import os
from pathlib import Path

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


class SettingMissing(RuntimeError):
    """A setting has no value or a value of the wrong form."""


def text(name: str, *, default: str | None = None, example: str = "") -> str:
    """Return a variable as text.

    Raises:
        SettingMissing: there is neither a value nor a default.
    """
    value = os.environ.get(name, default)
    if value is None:
        raise SettingMissing(f"{name} is not set{_hint(name, example)}")
    return value


def secret(name: str, *, default: str | None = None, example: str = "") -> str:
    """Return a secret from ``NAME``, or from the file that ``NAME_FILE`` names.

    Raises:
        SettingMissing: neither is set, or the file cannot be read.
    """
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return text(name, default=default, example=example or f"or {name}_FILE=/run/secrets/x")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingMissing(f"{name}_FILE names {path}, which cannot be read: {error}") from error


def integer(name: str, *, default: int) -> int:
    """Return a variable as a whole number.

    Raises:
        SettingMissing: the value is no whole number.
    """
    value = os.environ.get(name)
    if value is None:
        return default
    try:
        return int(value)
    except ValueError as error:
        raise SettingMissing(f"{name} must be a whole number, for example {default}") from error


def flag(name: str, *, default: bool) -> bool:
    """Return a variable as yes or no.

    Raises:
        SettingMissing: the value is neither.
    """
    value = os.environ.get(name)
    if value is None:
        return default
    lowered = value.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise SettingMissing(f"{name} must be yes or no, not {value!r}")


def names(name: str, *, default: tuple[str, ...] = ()) -> list[str]:
    """Return a comma-separated variable as a list without empty items."""
    value = os.environ.get(name)
    if value is None:
        return list(default)
    return [item.strip() for item in value.split(",") if item.strip()]


def path(name: str, *, default: Path | None = None) -> Path:
    """Return a variable as a path.

    Raises:
        SettingMissing: there is neither a value nor a default.
    """
    return Path(text(name, default=None if default is None else str(default)))


def _hint(name: str, example: str) -> str:
    return f", for example {name}={example}" if example else ""
