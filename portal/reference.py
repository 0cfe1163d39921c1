"""Reference pages written from the registries, so that they cannot say what the code does not."""

from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.utils import translation

from foundation.access.permissions import permissions
from foundation.contracts.personal_data import FieldClass, personal_data, personal_data_stores
from foundation.deferred import tasks
from foundation.registry import every_registry
from foundation.rest.scopes import scopes

NOTE = "Written by `manage.py reference --write` from the registries of the running code."


def folder() -> Path:
    """Return where the pages are."""
    return Path(settings.BASE_DIR) / "docs" / "reference"


def pages() -> dict[str, str]:
    """Return every generated page by file name."""
    makers: dict[str, Callable[[], str]] = {
        "permissions.md": _permissions,
        "scopes.md": _scopes,
        "tasks.md": _tasks,
        "registries.md": _registries,
        "personal-data.md": _personal_data,
    }
    with translation.override("en"):
        return {name: make() for name, make in makers.items()}


def stale() -> list[str]:
    """Return the names of pages that differ from the code."""
    return [name for name, text in pages().items() if _present(name) != text]


def write() -> None:
    """Write every page."""
    for name, text in pages().items():
        (folder() / name).write_text(text, encoding="utf-8")


def _present(name: str) -> str:
    path = folder() / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _permissions() -> str:
    rows = (
        (
            f"`{item.code}`",
            str(item.label),
            _yes(item.high),
            _yes(item.staff_only),
        )
        for item in sorted(permissions.all(), key=lambda item: item.code)
    )
    return _page("Permissions", ("Code", "Lets one", "High", "Staff only"), rows)


def _scopes() -> str:
    rows = ((f"`{item.code}`", str(item.label)) for item in scopes.all())
    return _page("API scopes", ("Scope", "Lets a partner client"), rows)


def _tasks() -> str:
    rows = (
        (f"`{item.name}`", item.queue, item.purpose)
        for item in sorted(tasks.all(), key=lambda item: item.name)
    )
    return _page("Tasks", ("Name", "Queue", "Purpose"), rows)


def _registries() -> str:
    rows = (
        (registry.name, str(len(registry)), ", ".join(f"`{key}`" for key in registry.keys()))  # noqa: SIM118
        for registry in sorted(every_registry(), key=lambda registry: registry.name)
    )
    return _page("Registries", ("Registry", "Items", "Keys"), rows)


def _personal_data() -> str:
    rows = []
    for source in sorted(personal_data.all(), key=lambda source: source.label):
        personal = [
            f"{name} ({kind.value})"
            for name, kind in source.fields.items()
            if kind is not FieldClass.NONE
        ]
        rows.append((f"`{source.label}`", ", ".join(personal) or "none", str(source.retention)))
    stores = [(f"`{item.label}`", item.holds, item.longest_life) for item in personal_data_stores]
    tables = _page("Personal data", ("Table", "Personal columns", "Kept"), rows)
    return f"{tables}\n{_table(('Store', 'Holds', 'Longest life'), stores)}"


def _page(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return f"# {title}\n\n{NOTE}\n\n{_table(heads, rows)}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_line(heads), _line(("---",) * len(heads)), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _yes(value: object) -> str:
    return "yes" if value else ""
