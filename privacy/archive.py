"""The archive of an access request: a ZIP that a person can read and a machine can check."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation

from encryption.services import sign
from foundation.contracts.personal_data import Section, personal_data

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class BuiltArchive:
    """A ZIP and what it counts.

    Attributes:
        content: bytes of the ZIP, in clear: seal them before they rest anywhere.
        sections: number of sections.
        rows: number of rows in all sections.
    """

    content: bytes
    sections: int
    rows: int


def build(sections: Iterable[Section], *, language: str, made_on: str) -> BuiltArchive:
    """Write the sections as readable page, JSON, CSV and schema, with a signed manifest.

    Args:
        sections: what the sources exported.
        language: of the readable page.
        made_on: date for the page, ISO 8601.
    """
    kept = tuple(sections)
    files: dict[str, bytes] = {"index.html": _page(kept, language=language, made_on=made_on)}
    for section in kept:
        files[f"data/{section.label}.json"] = _json({"rows": list(section.rows)})
        files[f"data/{section.label}.csv"] = _csv(section)
        files[f"schema/{section.label}.json"] = _json(_schema(section))
    manifest = _json(
        {
            "made_on": made_on,
            "files": {name: hashlib.sha256(body).hexdigest() for name, body in files.items()},
        }
    )
    signature = sign("manifest", manifest)
    files["manifest.json"] = manifest
    files["manifest.sig"] = signature.value.hex().encode()
    return BuiltArchive(
        content=_zip(files), sections=len(kept), rows=sum(len(item.rows) for item in kept)
    )


def _page(sections: tuple[Section, ...], *, language: str, made_on: str) -> bytes:
    with translation.override(language):
        tables = [
            {"title": item.title, "columns": _columns(item), "rows": _cells(item)}
            for item in sections
        ]
        context = {"tables": tables, "made_on": made_on, "language": language}
        return render_to_string("privacy/archive/index.html", context).encode()


def _columns(section: Section) -> list[str]:
    columns: dict[str, None] = {}
    for row in section.rows:
        columns.update(dict.fromkeys(row))
    return list(columns)


def _cells(section: Section) -> list[list[str]]:
    columns = _columns(section)
    return [[_text(row.get(name)) for name in columns] for row in section.rows]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str).encode()


def _csv(section: Section) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_columns(section))
    writer.writerows([_neutral(cell) for cell in row] for row in _cells(section))
    return stream.getvalue().encode("utf-8-sig")


def _neutral(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _schema(section: Section) -> Mapping[str, object]:
    source = personal_data.find(section.label)
    classes = {} if source is None else {name: kind.value for name, kind in source.fields.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": section.label,
        "type": "object",
        "properties": {
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        name: {"x-class": classes.get(name, "content")}
                        for name in _columns(section)
                    },
                },
            }
        },
        "x-purpose": "" if source is None else source.purpose,
        "x-basis": "" if source is None else source.basis,
        "x-retention": "" if source is None else source.retention,
        "x-recipients": [] if source is None else list(source.recipients),
    }


def _zip(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression=zipfile.ZIP_DEFLATED) as bundle:
        for name, body in files.items():
            bundle.writestr(name, body)
    return stream.getvalue()
