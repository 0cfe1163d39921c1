"""The registry of frozen labels, ``encryption/labels.toml``.

A label is part of what a sealed value is bound to. Entries are added by
``manage.py encryption_labels --write`` and never changed; a retired one stays and is never reused.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.apps import apps
from django.apps.registry import Apps
from django.conf import settings

from encryption.fields import SealedField

ACTIVE: Final = "active"

_HEADER = (
    "# Labels of sealed fields. Written by manage.py encryption_labels --write; never edited.\n"
)


@dataclass(frozen=True, slots=True)
class Label:
    """One line of the registry."""

    label: str
    model: str
    field: str
    owner_kind: str
    release: str = ""
    state: str = ACTIVE

    def describes(self, other: "Label") -> bool:
        """Say whether both speak of the same field and owner."""
        mine = (self.label, self.model, self.field, self.owner_kind)
        return mine == (other.label, other.model, other.field, other.owner_kind)


def file() -> Path:
    """Return where the registry is."""
    return Path(settings.BASE_DIR) / "encryption" / "labels.toml"


def registered() -> dict[str, Label]:
    """Return the entries of the registry by label."""
    if not file().exists():
        return {}
    content = tomllib.loads(file().read_text(encoding="utf-8"))
    return {entry["label"]: Label(**entry) for entry in content.get("labels", [])}


def declared(registry: Apps = apps) -> list[Label]:
    """Return the labels of all sealed fields of the installed models."""
    return [
        Label(
            label=field.label,
            model=model._meta.label,  # noqa: SLF001  Django's model API
            field=field.name,
            owner_kind=str(field.owner_kind),
        )
        for model in registry.get_models()
        if not model._meta.proxy  # noqa: SLF001
        for field in model._meta.local_concrete_fields  # noqa: SLF001
        if isinstance(field, SealedField)
    ]


def missing(found: Iterable[Label], known: dict[str, Label]) -> list[Label]:
    """Return the declared labels that the registry lacks."""
    return [label for label in found if label.label not in known]


def append(new: Iterable[Label], *, release: str) -> None:
    """Add entries to the registry; what stands there is not touched."""
    start = "" if file().exists() else _HEADER
    with file().open("a", encoding="utf-8") as target:
        target.write(start)
        target.writelines(_entry(label, release) for label in new)


def _entry(label: Label, release: str) -> str:
    return (
        f'\n[[labels]]\nlabel = "{label.label}"\nmodel = "{label.model}"\n'
        f'field = "{label.field}"\nowner_kind = "{label.owner_kind}"\n'
        f'release = "{release}"\nstate = "{label.state}"\n'
    )
