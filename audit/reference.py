"""The reference page of all event types, written from the registry of the running code."""

from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import translation

from audit.events import EventType, Severity, audit_event_types

_HEAD: Final = """# Audit event types

Written by `manage.py event_reference` from the registry of the running code. What an entry holds:
`journal.md`. A name never changes; a changed shape of details gets a new schema number.

| Event | What happened | Severity | Kept | Written by | Details | Needs | Schema |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def page() -> Path:
    """Return where the page is."""
    return Path(settings.BASE_DIR) / "docs" / "reference" / "events.md"


def text() -> str:
    """Return the page."""
    with translation.override("en"):
        types = sorted(audit_event_types, key=lambda item: item.code)
        return _HEAD + "".join(_line(item) for item in types)


def is_stale() -> bool:
    """Say whether the page differs from the code."""
    return not page().is_file() or page().read_text(encoding="utf-8") != text()


def write() -> None:
    """Write the page."""
    page().write_text(text(), encoding="utf-8")


def _line(item: EventType) -> str:
    needs = [
        word for word, asked in (("reason", item.needs_reason), ("purpose", item.needs_purpose))
        if asked
    ]  # fmt: skip
    cells = (
        f"`{item.code}`",
        str(item.sentence),
        Severity(item.severity).name.lower(),
        str(item.retention),
        "the change" if item.connection.value == "default" else "the journal",
        ", ".join(f"{name} ({item.kind_of(name)})" for name in item.details),
        ", ".join(needs),
        str(item.schema_version),
    )
    return "| " + " | ".join(cells) + " |\n"
